import { bareOf, cidrContains, parseAddress, parseCidr } from '../addresses.ts';
import { shimMark } from '../host-state/mark.ts';
import { shimName } from '../host-state/names.ts';
import { EMPTY, type HostState, type Neighbour, type Sysctl } from '../host-state/types.ts';
import type { Endpoint, Network, Subnet } from '../model.ts';
import { subnetOf } from '../modes/addressing.ts';
import { stableMac } from '../modes/mac.ts';
import type { HostFacts, ParentFacts } from '../modes/mode.ts';

/*
 * The host's own door to a macvlan network. The kernel does not pass frames between a parent link and its macvlan
 * children, so the host gets a child of its own, the shim, and a route to each container through it. Unnumbered by
 * default: it has no address and speaks with the parent's. One shim a parent; networks that share the parent ask
 * for the same link and the union of their states has it once. docs/modes/macvlan.md explains each setting.
 */

/** The names of the aux addresses that number the shim (`--aux-address host=10.0.36.223`). */
const HOST_NAMES = { 4: ['host', 'host4'], 6: ['host', 'host6'] } as const;

/** The shim itself. Nothing while the parent is missing: the kernel takes the shim away with it. */
export function shimOfNetwork(network: Network, facts: HostFacts): HostState {
  const parent = facts.parents.get(network.base.link);
  if (parent === undefined) return EMPTY;
  const link = shimName(parent.name);
  const ipv6 = network.ipv6 && facts.ipv6;
  const own = [
    ...network.subnets4.flatMap(subnet => hostAddress(subnet, 4) ?? []),
    ...(ipv6 ? network.subnets6.flatMap(subnet => hostAddress(subnet, 6) ?? []) : []),
  ];
  return {
    ...EMPTY,
    links: [
      {
        kind: 'macvlan',
        name: link,
        alias: shimMark(parent.name),
        parent: parent.name,
        macvlanMode: 'bridge',
        // A shim that came back with another MAC would leave the containers' ARP entries for the host stale.
        mac: stableMac('shim', parent.name, parent.mac ?? ''),
        noLinkLocal: true,
        up: true,
      },
    ],
    addresses: own.map(address => ({ link, address, noPrefixRoute: true })),
    neighbours: ipv6 ? proxies(parent, link) : [],
    sysctls: [
      ...sysctls4(link),
      // The kernel has IPv6 on every link, whatever the network is; a router's advertisement must not give the host
      // an address and a second default route on the shim.
      ...(facts.ipv6 ? [{ path: `net/ipv6/conf/${link}/accept_ra`, value: '0' }] : []),
      ...(ipv6 ? sysctls6(link) : []),
    ],
  };
}

/** The way to one container: a route and a permanent neighbour for each of its addresses. */
export function shimOfEndpoint(network: Network, endpoint: Endpoint, facts: HostFacts): HostState {
  const parent = facts.parents.get(network.base.link);
  if (parent === undefined) return EMPTY;
  const link = shimName(parent.name);
  const ways = [endpoint.address4, facts.ipv6 ? endpoint.address6 : undefined].flatMap(cidr => {
    if (cidr === undefined) return [];
    const address = bareOf(cidr);
    const source = hostSource(network, parent, address);
    return source === undefined ? [] : [{ address, source }];
  });
  return {
    ...EMPTY,
    routes: ways.map(({ address, source }) => ({
      link,
      destination: `${address}/${parseAddress(address).family === 4 ? 32 : 128}`,
      source,
    })),
    // Without it the host asks the LAN "who has <container>, tell <host>" with the shim's MAC, and every peer that
    // hears it sends the host's traffic to the shim from then on (arp_announce does not help an unnumbered link).
    neighbours: ways.map(({ address }) => ({ link, address, entry: { mac: endpoint.mac } })),
  };
}

/**
 * The host's address towards a container: the shim's own in that subnet, else the parent's own in that subnet, else
 * any of the parent's. None: the host has no address of that family there, and no way to the container.
 * @param address bare
 */
export function hostSource(network: Network, parent: ParentFacts, address: string): string | undefined {
  const { family } = parseAddress(address);
  const subnet = subnetOf(family === 4 ? network.subnets4 : network.subnets6, address);
  const numbered = subnet === undefined ? undefined : hostAddress(subnet, family);
  if (numbered !== undefined) return bareOf(numbered);
  const own = (family === 4 ? parent.addresses4 : parent.addresses6).map(bareOf);
  const inside = subnet && own.find(a => cidrContains(parseCidr(subnet.pool), parseAddress(a)));
  return inside ?? own[0];
}

/** The address the user set aside for the host in a subnet, as /32 or /128. */
function hostAddress(subnet: Subnet, family: 4 | 6): string | undefined {
  const name = HOST_NAMES[family].find(key => subnet.aux[key] !== undefined);
  const address = name === undefined ? undefined : subnet.aux[name];
  return address === undefined ? undefined : `${bareOf(address)}/${family === 4 ? 32 : 128}`;
}

const sysctls4 = (link: string): Sysctl[] => [
  // Answer ARP for the host's address only to those the host reaches through the shim (the containers), so that
  // LAN peers go on learning the parent's MAC. arp_ignore=1 would also refuse the containers.
  { path: `net/ipv4/conf/${link}/arp_filter`, value: '1' },
  { path: `net/ipv4/conf/${link}/arp_announce`, value: '2' },
  { path: `net/ipv4/conf/${link}/rp_filter`, value: '0' },
];

const sysctls6 = (link: string): Sysctl[] => [
  { path: `net/ipv6/conf/${link}/forwarding`, value: '1' },
  { path: `net/ipv6/conf/${link}/proxy_ndp`, value: '1' },
  { path: `net/ipv6/neigh/${link}/proxy_delay`, value: '0' },
];

/**
 * Neighbour discovery has no arp_filter; the shim answers for the host's addresses as a proxy instead (without the
 * override flag, so it does not win over the parent's own answer). As addresses of the shim they would be announced
 * to the LAN with its MAC.
 */
const proxies = (parent: ParentFacts, link: string): Neighbour[] =>
  parent.addresses6.map(cidr => ({ link, address: bareOf(cidr), entry: 'proxy' as const }));
