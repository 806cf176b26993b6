import { bareOf, cidrContains, parseAddress, parseCidr } from '../addresses.ts';
import { EMPTY, type FirewallElement, type HostState } from '../host-state/types.ts';
import type { Endpoint, Network } from '../model.ts';
import { addressesOf, subnetOf } from './addressing.ts';
import { policyOf } from './bridge-policy.ts';
import type { HostFacts } from './mode.ts';

/** Somebody else's bridge is used, not shaped: no address, no removal, and rules only for tsnet's own containers. */
export function foreignBridge(network: Network, facts: HostFacts): HostState {
  const name = network.base.link;
  return {
    ...EMPTY,
    firewall: [{ set: 'same_bridge', key: [name, name] }, ...policyOf(network)],
    ...(network.options.firewall === 'ufw' && facts.guard !== undefined ? { guard: facts.guard } : {}),
  };
}

/** What makes one container on it tsnet's: the bridge has others, so it is known by its address. */
export function guestState(network: Network, endpoint: Endpoint, facts: HostFacts): HostState {
  return {
    ...EMPTY,
    firewall: addressesOf(endpoint).flatMap(address => [
      ...guestElements(network, address),
      ...(endpoint.published.length > 0 ? sourceElements(network, address, facts) : []),
    ]),
  };
}

function guestElements({ base, options, internal }: Network, address: string): FirewallElement[] {
  const { family } = parseAddress(address);
  const key = [base.link, address];
  const mode = family === 4 ? options.gatewayMode4 : options.gatewayMode6;
  const translated = options.masquerade && !internal && mode !== 'routed';
  return [
    { set: `guest${family}`, key },
    ...(translated ? [{ set: `guest_masquerade${family}` as const, key }] : []),
  ];
}

/**
 * A guest whose gateway is a router of the LAN answers its clients past the host that redirected them, unless they
 * seem to be the host.
 */
function sourceElements({ base, ...network }: Network, address: string, facts: HostFacts): FirewallElement[] {
  const { family } = parseAddress(address);
  const bridge = facts.parents.get(base.link);
  const subnet = subnetOf(family === 4 ? network.subnets4 : network.subnets6, address);
  if (bridge === undefined || subnet === undefined) return [];
  const own = (family === 4 ? bridge.addresses4 : bridge.addresses6).map(bareOf);
  const source = own.find(one => cidrContains(parseCidr(subnet.pool), parseAddress(one))) ?? own[0];
  const isGateway = subnet.gateway !== undefined && own.includes(bareOf(subnet.gateway));
  if (source === undefined || isGateway) return [];
  return [{ set: `published_source${family}`, key: [base.link, address], value: [source] }];
}
