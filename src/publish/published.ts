import { familyOf } from '../addresses.ts';
import { EMPTY, type FirewallElement, type HostState, type PortHold } from '../host-state/types.ts';
import type { Endpoint, Network, PublishedPort } from '../model.ts';
import { addressesOf } from '../modes/addressing.ts';
import { ANY4, ANY6, targetOf } from './wanted.ts';

/**
 * What the published ports of one endpoint need of the host: sockets that hold them, elements of the maps that redirect
 * them, and who may use them. All of it is one endpoint's own, so that it comes and goes in one transaction.
 */
export function publishedState(network: Network, endpoint: Endpoint): HostState {
  if (endpoint.published.length === 0) return EMPTY;
  return {
    ...EMPTY,
    holds: endpoint.published.flatMap(published => holdOf(network, endpoint, published)),
    firewall: [
      ...endpoint.published.flatMap(published => redirection(endpoint, published)),
      ...addressesOf(endpoint).flatMap((address): FirewallElement[] => [
        { set: `self${familyOf(address)}`, key: [address, address] },
        ...admission(network, address),
      ]),
    ],
  };
}

/** No rule translates from one family to the other. */
const isTranslatable = (endpoint: Endpoint, { hostAddress }: PublishedPort): boolean =>
  familyOf(hostAddress) === 4 || endpoint.address6 !== undefined;

/**
 * IPv6 is relayed where it cannot be translated: to a container that has IPv4 only, and from ::1, for the kernel drops
 * an answer to a loopback address that comes in by another link (RFC 4291 2.5.3), which with br_netfilter it sees after
 * the translation. What can be translated never comes to the socket.
 */
function holdOf(network: Network, endpoint: Endpoint, published: PublishedPort): PortHold[] {
  const { protocol, hostAddress, hostPort, port } = published;
  const hold = { protocol, address: hostAddress, port: hostPort, owner: endpoint.id };
  const target = targetOf(endpoint, hostAddress);
  if (familyOf(hostAddress) === 4 || protocol === 'sctp' || target === undefined) return [hold];
  const { allowFrom } = network.options;
  return [{ ...hold, relay: { address: target, port, ...(allowFrom.length === 0 ? {} : { allowFrom }) } }];
}

function redirection(endpoint: Endpoint, published: PublishedPort): FirewallElement[] {
  const { protocol, hostAddress, hostPort, port } = published;
  const target = targetOf(endpoint, hostAddress);
  if (target === undefined || !isTranslatable(endpoint, published)) return [];
  const family = familyOf(hostAddress);
  const key = [protocol, String(hostPort)];
  const value = [target, String(port)];
  return hostAddress === ANY4 || hostAddress === ANY6
    ? [{ set: `publish${family}`, key, value }]
    : [{ set: `publish_at${family}`, key: [hostAddress, ...key], value }];
}

/** Who may use the published ports of a container. @param address bare */
export function admission({ options }: Network, address: string): FirewallElement[] {
  const family = familyOf(address);
  const elements: FirewallElement[] = [];
  if (options.allowFrom.length > 0) {
    elements.push({ set: `restricted${family}`, key: [address] });
    for (const cidr of options.allowFrom) {
      if (familyOf(cidr) === family) elements.push({ set: `allow_from${family}`, key: [address, cidr] });
    }
  }
  if (options.firewall === 'ufw') elements.push({ set: `ufw${family}`, key: [address] });
  return elements;
}
