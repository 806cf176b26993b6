/**
 * Host state as plain data: what tsnet wants a Linux host to look like. A mode computes one, the diff compares
 * two, the kernel room applies the difference. Nothing in here does I/O.
 */

/** The sub-modes of a macvlan link, as iproute2 and Docker's `macvlan_mode` spell them. */
export type MacvlanMode = 'bridge' | 'private' | 'vepa' | 'passthru';

interface LinkCommon {
  /** Interface name, at most 15 bytes. */
  readonly name: string;
  /** The ownership mark, kept in the kernel as the link's alias: see mark.ts. */
  readonly alias: string;
  /** Maximum transmission unit in bytes; the kernel's choice when absent. */
  readonly mtu?: number;
  /** `aa:bb:cc:dd:ee:ff`, lower case; the kernel's choice when absent. */
  readonly mac?: string;
  /** Administratively up. A link that waits to be moved into a sandbox stays down. */
  readonly up: boolean;
  /** No link-local IPv6 address of its own (IN6_ADDR_GEN_MODE_NONE). */
  readonly noLinkLocal?: boolean;
}

export interface BridgeLink extends LinkCommon {
  readonly kind: 'bridge';
}

/** Where in a container, instead of in the host's namespace, a link or its far end is. */
export interface Place {
  /** Path of the sandbox's network namespace. */
  readonly sandbox: string;
  /** Name of the interface there, once it is set up: see SandboxEnd. */
  readonly name: string;
}

/** A veth pair, described from its host end; `peer` is the end that goes into the container. */
export interface VethLink extends LinkCommon {
  readonly kind: 'veth';
  readonly peer: { readonly name: string; readonly mac?: string; readonly mtu?: number };
  /** The peer is made there; absent: beside the host end, for the engine to move. */
  readonly place?: Place;
  /** Name of the bridge that the host end is a port of. */
  readonly master?: string;
  /** Bridge port isolation (IFLA_BRPORT_ISOLATED): isolated ports reach the bridge, not each other. */
  readonly isolated?: boolean;
  /** Hairpin mode (IFLA_BRPORT_MODE): a frame may leave by the port it came in by. */
  readonly hairpin?: boolean;
}

export interface MacvlanLink extends LinkCommon {
  readonly kind: 'macvlan';
  readonly parent: string;
  readonly macvlanMode: MacvlanMode;
  /** Made there; absent: in the host's namespace. */
  readonly place?: Place;
}

export interface DummyLink extends LinkCommon {
  readonly kind: 'dummy';
}

export type Link = BridgeLink | VethLink | MacvlanLink | DummyLink;

export interface Address {
  readonly link: string;
  /** CIDR with prefix length, canonical text: `10.1.0.1/24`, `fd00::1/64`. */
  readonly address: string;
  /** Do not let the kernel add the connected route (IFA_F_NOPREFIXROUTE). */
  readonly noPrefixRoute?: boolean;
}

/** A route to `destination` straight out of `link` (scope link), in the main table. */
export interface Route {
  readonly link: string;
  /** CIDR, canonical: `10.0.36.192/32`, `fd00::2/128`. */
  readonly destination: string;
  /** Preferred source address, bare. */
  readonly source?: string;
}

export interface Neighbour {
  readonly link: string;
  /** Bare address. */
  readonly address: string;
  /** A permanent entry with this MAC, or an entry that answers for the address (`ip neigh add proxy`). */
  readonly entry: { readonly mac: string } | 'proxy';
}

export interface Sysctl {
  /** Path under /proc/sys, with slashes: `net/ipv4/conf/tss1/rp_filter`. */
  readonly path: string;
  readonly value: string;
}

/** The sets and maps of tsnet's nft table: see firewall/sets.ts for what each holds. */
export type FirewallSet =
  | 'bridges'
  | 'same_bridge'
  | 'engine_bridges'
  | 'shims'
  | 'no_icc'
  | 'internal'
  | 'unisolated'
  | 'masquerade4'
  | 'masquerade6'
  | 'guest4'
  | 'guest6'
  | 'guest_masquerade4'
  | 'guest_masquerade6'
  | 'localnet'
  | 'publish4'
  | 'publish6'
  | 'publish_at4'
  | 'publish_at6'
  | 'self4'
  | 'self6'
  | 'published_source4'
  | 'published_source6'
  | 'restricted4'
  | 'restricted6'
  | 'allow_from4'
  | 'allow_from6'
  | 'ufw4'
  | 'ufw6'
  | 'unprotected4'
  | 'unprotected6'
  | 'routed4'
  | 'routed6'
  | 'open4'
  | 'open6';

/** One element of one set or map; `key` and `value` have a part for each field. */
export interface FirewallElement {
  readonly set: FirewallSet;
  readonly key: readonly string[];
  /** What a map maps the key to; absent for sets. */
  readonly value?: readonly string[];
}

/** Protocols whose ports can be published. */
export type PortProtocol = 'tcp' | 'udp' | 'sctp';

/**
 * A port of the host that is kept from other processes by a bound socket of tsnet's own, as the engine keeps the ports
 * that it publishes. Nothing listens on it, for packets to it are redirected before they reach a socket.
 */
export interface PortHold {
  readonly protocol: PortProtocol;
  /** Bare; `0.0.0.0` and `::` stand for every address of their family. */
  readonly address: string;
  readonly port: number;
  /** Id of the endpoint that it is published for. */
  readonly owner: string;
  /** The socket does listen, and passes on to this place what no rule can translate. */
  readonly relay?: {
    /** Bare address of the container. */
    readonly address: string;
    readonly port: number;
    /** CIDRs of the clients that are served besides the host itself; absent: all. */
    readonly allowFrom?: readonly string[];
  };
}

/** Ports of a container's own addresses that lead to others of its ports: an nft table inside its sandbox. */
export interface Redirect {
  /** Path of the sandbox's network namespace; it may not be there yet, or no longer. */
  readonly sandbox: string;
  readonly endpointId: string;
  readonly rules: readonly {
    readonly protocol: PortProtocol;
    /** The container's own address, bare. */
    readonly address: string;
    readonly from: number;
    readonly to: number;
  }[];
}

/**
 * The settings of an interface that tsnet has made inside a sandbox: what the engine does for those that it moves itself
 * (moby libnetwork/osl/interface_linux.go), done for it.
 */
export interface SandboxEnd extends Place {
  /**
   * Name that it is made under, if that is another one: like no other, while that in the container may be one that the
   * host has. Kernels before 6.15 make no link in another namespace under such a name, but for the peer of a veth pair.
   */
  readonly madeAs?: string;
  /** The ownership mark of a link that has no other end on the host. */
  readonly alias?: string;
  /** Name of its other end on the host, a port of a bridge; absent: it has none. */
  readonly port?: string;
  readonly mac: string;
  /** CIDR, in both families as far as the endpoint has them; without one of IPv6 that is switched off. */
  readonly addresses: readonly string[];
  /** Its own kernel parameters, by path under /proc/sys: `net/ipv4/conf/eth1/log_martians`. */
  readonly sysctls: readonly Sysctl[];
  /** How often, and how many milliseconds apart, neighbours are told whose MAC the addresses have now. */
  readonly announce: { readonly count: number; readonly intervalMs: number };
}

/** One rule of the host's own firewall about packets to the host, in the terms that published ports are judged by. */
export interface GuardRule {
  readonly family: 4 | 6;
  readonly action: 'allow' | 'deny';
  /** Absent: any of them. */
  readonly protocol?: PortProtocol;
  /** Ranges of host ports, each of two inclusive ends; absent: any. */
  readonly ports?: readonly (readonly [number, number])[];
  readonly sourcePorts?: readonly (readonly [number, number])[];
  /** CIDR; absent: any. */
  readonly source?: string;
  /** CIDR of the host's own addresses; absent: any. */
  readonly destination?: string;
  /** Link the packet comes in by, `eth*` for all that begin so; absent: any. */
  readonly link?: string;
  /** Allowed at most five times in 30 s from one source, as `ufw limit` does. */
  readonly limit?: true;
}

/** The host's own firewall, as far as it is asked about published ports: the first rule that matches decides. */
export interface Guard {
  readonly rules: readonly GuardRule[];
  readonly otherwise: { readonly 4: 'allow' | 'deny'; readonly 6: 'allow' | 'deny' };
}

export interface HostState {
  readonly links: readonly Link[];
  /** Of interfaces inside sandboxes, which go with their links. */
  readonly ends: readonly SandboxEnd[];
  readonly addresses: readonly Address[];
  readonly routes: readonly Route[];
  readonly neighbours: readonly Neighbour[];
  readonly sysctls: readonly Sysctl[];
  readonly firewall: readonly FirewallElement[];
  /** Absent: no network asks for one. */
  readonly guard?: Guard;
  readonly holds: readonly PortHold[];
  readonly redirects: readonly Redirect[];
  /**
   * Bare addresses of containers, whose tracked connections (conntrack) end with them. Cannot be observed: an observation
   * has those that are desired.
   */
  readonly residents: readonly string[];
}

/** What an observation of the kernel says: a host state, and whether the firewall table around the elements is whole. */
export interface Observed extends HostState {
  readonly firewallIntact: boolean;
}

export const EMPTY: HostState = {
  links: [],
  ends: [],
  addresses: [],
  routes: [],
  neighbours: [],
  sysctls: [],
  firewall: [],
  holds: [],
  redirects: [],
  residents: [],
};
