import { addressKey, byKey, elementKey, neighbourKey, routeKey } from './keys.ts';
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
  };
}
