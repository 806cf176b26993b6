import { bareOf } from '../addresses.ts';
import type { Look } from '../look.ts';
import { nameOf } from '../promise/endpoint.ts';
import { type Rule, violation } from '../violations.ts';

/** The LAN takes the host for its parent link, not for a shim, and each container for its own link. */
export const lanNeighbourRules: Rule<Look> = ({ lan, promises, kernel }) => {
  const holders = new Map<string, { name: string; mac: string }>();
  for (const { alias, addresses, mac, name } of kernel.host.links) {
    if (alias.startsWith('tsnet:')) continue;
    for (const { address } of addresses) holders.set(bareOf(address), { name, mac });
  }
  for (const endpoint of promises.endpoints.filter(({ on }) => on.kind === 'lan')) {
    for (const cidr of endpoint.addresses)
      holders.set(bareOf(cidr), { name: nameOf(endpoint), mac: endpoint.mac });
  }
  return (lan?.neighbours ?? [])
    .filter(({ reachable }) => reachable)
    .flatMap(({ address, mac }) => {
      const holder = holders.get(address);
      if (holder === undefined || holder.mac === mac) return [];
      return [
        violation(
          'neighbour-wrong',
          address,
          `the LAN has ${mac} for it, not ${holder.mac} of ${holder.name}`,
        ),
      ];
    });
};
