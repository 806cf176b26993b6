import { bareOf, formatAddress, parseAddress } from '../addresses.ts';
import type { State } from '../driver/state.ts';
import type { Endpoint, Network } from '../model.ts';

/**
 * Whether an address is seen to be in use on tsnet's networks, as far as they are loaded: never touches the store, never throws.
 * @param address bare, canonical
 * @param isThere whether there is a network namespace at the path of a sandbox
 */
export function isAddressInUse(
  state: Pick<State, 'known' | 'endpointsOf'>,
  address: string,
  isThere: (sandbox: string) => boolean,
): boolean {
  const isIt = (cidr: string | undefined) => cidr !== undefined && canonical(cidr) === address;
  const isGateway = ({ lifecycle, subnets4, subnets6 }: Network) =>
    lifecycle === 'live' && [...subnets4, ...subnets6].some(({ gateway }) => isIt(gateway));
  const hasIt = ({ address4, address6, joined, left, sandbox }: Endpoint) =>
    (isIt(address4) || isIt(address6)) &&
    joined &&
    left !== true &&
    sandbox !== undefined &&
    isThere(sandbox);
  return state
    .known()
    .some(network => isGateway(network) || state.endpointsOf(network.id).some(endpoint => hasIt(endpoint)));
}

function canonical(cidr: string): string {
  const { family, value } = parseAddress(bareOf(cidr));
  return formatAddress(family, value);
}
