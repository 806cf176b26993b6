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

/** A veth pair, described from its host end; `peer` is the end that goes into the container. */
export interface VethLink extends LinkCommon {
  readonly kind: 'veth';
  readonly peer: { readonly name: string; readonly mac?: string; readonly mtu?: number };
  /** Name of the bridge that the host end is a port of. */
  readonly master?: string;
  /** Bridge port isolation (IFLA_BRPORT_ISOLATED): isolated ports reach the bridge, not each other. */
  readonly isolated?: boolean;
}

export interface MacvlanLink extends LinkCommon {
  readonly kind: 'macvlan';
  readonly parent: string;
  readonly macvlanMode: MacvlanMode;
}

export interface DummyLink extends LinkCommon {
  readonly kind: 'dummy';
}

export type Link = BridgeLink | VethLink | MacvlanLink | DummyLink;
export type LinkKind = Link['kind'];

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

/** The sets of tsnet's nft table: see firewall/sets.ts for what each holds. */
export type FirewallSet =
  | 'bridges'
  | 'same_bridge'
  | 'engine_bridges'
  | 'no_icc'
  | 'internal'
  | 'masquerade4'
  | 'masquerade6'
  | 'guest4'
  | 'guest6'
  | 'guest_masquerade4'
  | 'guest_masquerade6';

/** One element of one set; `key` has a part for each field of a concatenated set. */
export interface FirewallElement {
  readonly set: FirewallSet;
  readonly key: readonly string[];
}

export interface HostState {
  readonly links: readonly Link[];
  readonly addresses: readonly Address[];
  readonly routes: readonly Route[];
  readonly neighbours: readonly Neighbour[];
  readonly sysctls: readonly Sysctl[];
  readonly firewall: readonly FirewallElement[];
}

/** What an observation of the kernel says: a host state, and whether the firewall table around the elements is whole. */
export interface Observed extends HostState {
  readonly firewallIntact: boolean;
}

export const EMPTY: HostState = {
  links: [],
  addresses: [],
  routes: [],
  neighbours: [],
  sysctls: [],
  firewall: [],
};
