import type { Address, FirewallElement, Neighbour, Place, PortHold, Redirect, Route } from './types.ts';

/** What makes two items the same item: the diff and the merge compare by these. */
export const addressKey = (a: Address): string => `${a.link} ${a.address}`;
export const routeKey = (r: Route): string => `${r.link} ${r.destination}`;
export const neighbourKey = (n: Neighbour): string =>
  `${n.link} ${n.address} ${n.entry === 'proxy' ? 'proxy' : 'entry'}`;
export const elementKey = (e: FirewallElement): string => `${e.set} ${e.key.join(' . ')}`;
export const holdKey = (h: Pick<PortHold, 'protocol' | 'address' | 'port'>): string =>
  `${h.protocol} ${h.address} ${h.port}`;
export const placeKey = (p: Place): string => `${p.sandbox} ${p.name}`;
export const redirectKey = (r: Redirect): string => `${r.sandbox} ${r.endpointId}`;

/** Items by key; of several with one key the last stays. */
export const byKey = <T>(items: Iterable<T>, key: (item: T) => string): Map<string, T> => {
  const map = new Map<string, T>();
  for (const item of items) map.set(key(item), item);
  return map;
};
