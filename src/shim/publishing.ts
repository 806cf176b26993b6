import { parseAddress } from '../addresses.ts';
import { shimName } from '../host-state/names.ts';
import { EMPTY, type FirewallElement, type HostState } from '../host-state/types.ts';
import type { Endpoint, Network } from '../model.ts';
import { addressesOf } from '../modes/addressing.ts';
import type { HostFacts } from '../modes/mode.ts';
import { hostSource } from './shim.ts';

/*
 * Ports of containers on a LAN that are published on the host's addresses: a client's packets come in by the parent and
 * go on through the shim.
 */

/** The shim as a link that redirected packets pass. Shared by the networks of one parent. */
export function publishingShim(network: Network, facts: HostFacts): HostState {
  const parent = facts.parents.get(network.base.link);
  if (parent === undefined) return EMPTY;
  const link = shimName(parent.name);
  const ipv6 = network.ipv6 && facts.ipv6;
  return {
    ...EMPTY,
    firewall: [
      { set: 'shims', key: [link] },
      { set: 'localnet', key: [link] },
    ],
    sysctls: [
      { path: `net/ipv4/conf/${link}/route_localnet`, value: '1' },
      { path: 'net/ipv4/ip_forward', value: '1' },
      ...(ipv6 ? [{ path: 'net/ipv6/conf/all/forwarding', value: '1' }] : []),
    ],
    ...(network.options.firewall === 'ufw' && facts.guard !== undefined ? { guard: facts.guard } : {}),
  };
}

/**
 * One container behind it. Its clients are on its own LAN, so it would answer them directly, and they would not know
 * the answer: to the container they all seem to be the host.
 */
export function publishedOverShim(network: Network, endpoint: Endpoint, facts: HostFacts): HostState {
  const parent = facts.parents.get(network.base.link);
  if (parent === undefined) return EMPTY;
  const link = shimName(parent.name);
  const addresses = addressesOf(endpoint);
  return {
    ...EMPTY,
    firewall: addresses.flatMap((address): FirewallElement[] => {
      const source = hostSource(network, parent, address);
      const { family } = parseAddress(address);
      return source === undefined
        ? []
        : [{ set: `published_source${family}`, key: [link, address], value: [source] }];
    }),
    residents: addresses,
  };
}
