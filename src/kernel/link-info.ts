import type { MacvlanMode } from '../host-state/types.ts';

/** A link as the kernel describes it (RTM_NEWLINK), whoever made it. */
export interface LinkInfo {
  readonly index: number;
  readonly name: string;
  /** IFLA_INFO_KIND: `bridge`, `veth`, `macvlan`, `ipvlan`, …; absent for hardware. */
  readonly kind?: string;
  readonly alias?: string;
  /** `aa:bb:cc:dd:ee:ff`, lower case; absent for links without a link-layer address. */
  readonly mac?: string;
  readonly mtu: number;
  /** IFF_UP: administratively up. */
  readonly up: boolean;
  /** IFF_LOWER_UP: has carrier. */
  readonly carrier: boolean;
  readonly loopback: boolean;
  /** Index of the bridge or bond that this link is a port of. */
  readonly master?: number;
  /** Index of the link underneath (IFLA_LINK): a macvlan's parent, a veth's peer; maybe of another namespace. */
  readonly parent?: number;
  /** IFLA_LINK_NETNSID: present when `parent` lies in another namespace. */
  readonly parentNetnsId?: number;
  readonly macvlanMode?: MacvlanMode;
  /** IFLA_BRPORT_ISOLATED of a bridge port. */
  readonly isolated?: boolean;
  /** Whether a bridge port forwards (BR_STATE_FORWARDING); absent for what is no port. */
  readonly forwarding?: boolean;
  /** Bridge port hairpin mode; absent for what is no port. */
  readonly hairpin?: boolean;
}

export interface AddressInfo {
  readonly linkIndex: number;
  /** CIDR, canonical text. */
  readonly address: string;
  /** RT_SCOPE_*: 0 global, 253 link, 254 host. */
  readonly scope: number;
  /** IFA_FLAGS bits. */
  readonly flags: number;
  /** IFA_PROTO, 0 where the kernel has none. */
  readonly protocol: number;
}

export interface RouteInfo {
  /** CIDR, canonical; `0.0.0.0/0` and `::/0` for default routes. */
  readonly destination: string;
  readonly linkIndex?: number;
  readonly source?: string;
  readonly gateway?: string;
  readonly table: number;
  readonly protocol: number;
  readonly scope: number;
}

export interface NeighbourInfo {
  readonly linkIndex: number;
  readonly address: string;
  readonly mac?: string;
  /** NUD_* bits; NUD_PERMANENT is 0x80. */
  readonly state: number;
  /** NTF_PROXY entry. */
  readonly proxy: boolean;
}
