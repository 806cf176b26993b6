import {
  addressKey,
  byKey,
  elementKey,
  holdKey,
  neighbourKey,
  placeKey,
  redirectKey,
  routeKey,
} from './keys.ts';
import { EMPTY, type HostState } from './types.ts';

/**
 * The union of several host states. What two of them want alike (the shim that networks on one parent share, a
 * sysctl) is wanted once: so it stays until the last of them is gone, without a count that could go wrong.
 */
export function merge(states: readonly HostState[]): HostState {
  const parts = states.filter(state => state !== EMPTY);
  const [only = EMPTY] = parts;
  if (parts.length < 2) return only;
  const union = <T>(part: (state: HostState) => readonly T[], key: (item: T) => string): T[] => {
    const items = parts.flatMap(part);
    return items.length < 2 ? items : [...byKey(items, key).values()];
  };
  return {
    links: union(
      s => s.links,
      link => link.name,
    ),
    ends: union(s => s.ends, placeKey),
    addresses: union(s => s.addresses, addressKey),
    routes: union(s => s.routes, routeKey),
    neighbours: union(s => s.neighbours, neighbourKey),
    sysctls: union(
      s => s.sysctls,
      sysctl => sysctl.path,
    ),
    firewall: union(s => s.firewall, elementKey),
    ...guardOf(parts),
    holds: union(s => s.holds, holdKey),
    redirects: union(s => s.redirects, redirectKey),
    residents: [...new Set(parts.flatMap(s => s.residents))],
  };
}

/** There is one host, so all that have a guard have the same. */
function guardOf(states: readonly HostState[]): Pick<HostState, 'guard'> {
  const guard = states.findLast(s => s.guard !== undefined)?.guard;
  return guard === undefined ? {} : { guard };
}
