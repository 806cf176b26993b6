import { addressKey, byKey, elementKey, holdKey, neighbourKey, redirectKey, routeKey } from './keys.ts';
import type { HostState } from './types.ts';

/**
 * The union of several host states. What two of them want alike (the shim that networks on one parent share, a
 * sysctl) is wanted once: so it stays until the last of them is gone, without a count that could go wrong.
 */
export function merge(states: readonly HostState[]): HostState {
  const only = states[0];
  if (states.length === 1 && only !== undefined) return only;
  return {
    links: [
      ...byKey(
        states.flatMap(s => s.links),
        link => link.name,
      ).values(),
    ],
    addresses: [
      ...byKey(
        states.flatMap(s => s.addresses),
        addressKey,
      ).values(),
    ],
    routes: [
      ...byKey(
        states.flatMap(s => s.routes),
        routeKey,
      ).values(),
    ],
    neighbours: [
      ...byKey(
        states.flatMap(s => s.neighbours),
        neighbourKey,
      ).values(),
    ],
    sysctls: [
      ...byKey(
        states.flatMap(s => s.sysctls),
        s => s.path,
      ).values(),
    ],
    firewall: [
      ...byKey(
        states.flatMap(s => s.firewall),
        elementKey,
      ).values(),
    ],
    ...guardOf(states),
    holds: [
      ...byKey(
        states.flatMap(s => s.holds),
        holdKey,
      ).values(),
    ],
    redirects: [
      ...byKey(
        states.flatMap(s => s.redirects),
        redirectKey,
      ).values(),
    ],
    residents: [...new Set(states.flatMap(s => s.residents))],
  };
}

/** There is one host, so all that have a guard have the same. */
function guardOf(states: readonly HostState[]): Pick<HostState, 'guard'> {
  const guard = states.findLast(s => s.guard !== undefined)?.guard;
  return guard === undefined ? {} : { guard };
}
