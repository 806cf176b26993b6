import { bareOf, cidrContains, parseAddress, parseCidr } from '../addresses.ts';
import type { Endpoint, Network, Subnet } from '../model.ts';

/** A pool of prefix length 0 is how the null IPAM driver says "no addresses". */
export const realSubnets = (subnets: readonly Subnet[]): Subnet[] =>
  subnets.filter(subnet => parseCidr(subnet.pool).prefix > 0);

/** The subnet of the network that holds an address. @param address CIDR or bare */
export function subnetOf(subnets: readonly Subnet[], address: string): Subnet | undefined {
  const parsed = parseAddress(bareOf(address));
  return realSubnets(subnets).find(subnet => cidrContains(parseCidr(subnet.pool), parsed));
}

/** The bare gateway addresses an endpoint's default routes go to; none on an internal network. */
export function gatewaysOf(network: Network, endpoint: Endpoint): { gateway4?: string; gateway6?: string } {
  // The engine installs whatever gateway it is told, on internal networks too (protocol, feature matrix).
  if (network.internal) return {};
  const pick = (subnets: readonly Subnet[], address: string | undefined) =>
    address === undefined ? undefined : subnetOf(subnets, address)?.gateway;
  const gateway4 = pick(network.subnets4, endpoint.address4);
  const gateway6 = pick(network.subnets6, endpoint.address6);
  return {
    ...(gateway4 === undefined ? {} : { gateway4: bareOf(gateway4) }),
    ...(gateway6 === undefined ? {} : { gateway6: bareOf(gateway6) }),
  };
}

/** The addresses of an endpoint, bare: of both families, as far as it has them. */
export const addressesOf = ({ address4, address6 }: Pick<Endpoint, 'address4' | 'address6'>): string[] =>
  [address4, address6].flatMap(cidr => (cidr === undefined ? [] : [bareOf(cidr)]));
