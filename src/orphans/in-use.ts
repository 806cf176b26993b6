import { bareOf, formatAddress, parseAddress } from '../addresses.ts';
import type { State } from '../driver/state.ts';
import type { Seen } from '../ipam/address-desk.ts';
import type { Endpoint, Network } from '../model.ts';

/**
 * What is seen of addresses on tsnet's networks, as far as they are loaded: never touches the store, never throws.
 * @param isThere whether there is a network namespace at the path of a sandbox
 */
export function seenIn(
  state: Pick<State, 'known' | 'endpointsOf'>,
  isThere: (sandbox: string) => boolean,
): Seen {
  const isGateway = (address: string) =>
    state.known().some(network => network.lifecycle === 'live' && gatewaysOf(network).includes(address));
  const hasIt = ({ address4, address6, joined, left, sandbox }: Endpoint, address: string) =>
    [address4, address6].some(cidr => cidr !== undefined && canonical(cidr) === address) &&
    joined &&
    left !== true &&
    sandbox !== undefined &&
    isThere(sandbox);
  const isInUse = (address: string) =>
    isGateway(address) ||
    state.known().some(({ id }) => state.endpointsOf(id).some(endpoint => hasIt(endpoint, address)));
  return { isGateway, isInUse };
}

/** A network is a value of its own after each change, and each address that is given out is looked for among all gateways. */
const GATEWAYS = new WeakMap<Network, readonly string[]>();

function gatewaysOf(network: Network): readonly string[] {
  const known = GATEWAYS.get(network);
  if (known !== undefined) return known;
  const subnets = [...network.subnets4, ...network.subnets6];
  const gateways = subnets.flatMap(({ gateway }) => (gateway === undefined ? [] : canonical(gateway)));
  GATEWAYS.set(network, gateways);
  return gateways;
}

function canonical(cidr: string): string {
  const { family, value } = parseAddress(bareOf(cidr));
  return formatAddress(family, value);
}
