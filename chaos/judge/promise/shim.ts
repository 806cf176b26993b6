import { bareOf, canonical, familyOf, isWithin } from '../addresses.ts';
import type { LinkView } from '../kernel/types.ts';
import { type PromisedNetwork, subnetOf } from './network.ts';

/** The alias of the shim on a parent. */
export const shimAlias = (parent: string): string => `tsnet:shim:${parent}`;

/** Addresses of the host on a link, bare, without those that the kernel makes for the link alone. */
export const ownAddresses = (link: LinkView, family: 4 | 6): string[] =>
  link.addresses
    .filter(({ address, scope }) => scope !== 'link' && familyOf(address) === family)
    .map(({ address }) => bareOf(address));

/** The address that the user has set aside for the host in a subnet, bare. */
export function auxAddress(network: PromisedNetwork, subnet: string): string | undefined {
  const names = familyOf(subnet) === 4 ? ['host', 'host4'] : ['host', 'host6'];
  const aux = network.subnets.find(one => one.subnet === subnet)?.aux ?? {};
  const name = names.find(one => aux[one] !== undefined);
  return name === undefined ? undefined : canonical(bareOf(aux[name] ?? ''));
}

/**
 * The address that the host has towards a container behind a shim: its own in the container's subnet, else any of the parent's.
 * @param address the container's, CIDR or bare
 * @returns undefined: the host has none of the family there, and no way to the container
 */
export function sourceTowards(network: PromisedNetwork, address: string): string | undefined {
  if (network.link === undefined) return undefined;
  const subnet = subnetOf(network, address)?.subnet;
  const aux = subnet === undefined ? undefined : auxAddress(network, subnet);
  if (aux !== undefined) return aux;
  const own = ownAddresses(network.link, familyOf(address));
  return own.find(one => subnet !== undefined && isWithin(subnet, one)) ?? own[0];
}
