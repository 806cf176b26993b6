/** What the kernel says that there is on a host: its own network namespace, and those of the running containers. */
export interface KernelView {
  readonly host: NamespaceView;
  /** By container's name; without those whose namespace could not be entered. */
  readonly containers: ReadonlyMap<string, NamespaceView>;
  /** Rules of DOCKER-USER, as `iptables -S` and `ip6tables -S` print them; undefined: there is no such chain. */
  readonly dockerUser: {
    readonly 4: readonly string[] | undefined;
    readonly 6: readonly string[] | undefined;
  };
  readonly hostNamespace: string;
  /** Network namespaces that a file of the host keeps alive: path on the host to `net:[inode]`. */
  readonly mountedNamespaces: ReadonlyMap<string, string>;
  readonly processes: readonly ProcessView[];
}

export interface NamespaceView {
  /** `net:[inode]`. */
  readonly id: string;
  readonly links: readonly LinkView[];
  readonly routes: readonly RouteView[];
  readonly neighbours: readonly NeighbourView[];
  /** What is in `table inet tsnet`; undefined: there is none. */
  readonly table: TableView | undefined;
}

export interface LinkView {
  readonly name: string;
  readonly index: number;
  readonly mac: string;
  readonly alias: string;
  /** `bridge`, `veth`, `macvlan`, `dummy`; '' for a real one. */
  readonly kind: string;
  readonly up: boolean;
  /** Name of the bridge that it is a port of. */
  readonly master: string;
  /** Name of the link that it lies on, where that is in the same namespace. */
  readonly lower: string;
  /** Of a macvlan link. */
  readonly macvlanMode: string;
  /** Of a port of a bridge: kept apart from others that are. */
  readonly isolated: boolean;
  readonly addresses: readonly AddressView[];
}

export interface AddressView {
  /** CIDR, canonical. */
  readonly address: string;
  readonly scope: string;
  /** Still looked for by duplicate address detection, or found elsewhere by it. */
  readonly unusable: boolean;
}

export interface RouteView {
  readonly family: 4 | 6;
  /** CIDR, canonical, or `default`. */
  readonly destination: string;
  readonly link: string;
  /** Bare; '' without. */
  readonly gateway: string;
  /** Preferred source, bare; '' without. */
  readonly source: string;
  readonly protocol: string;
  readonly table: string;
}

export interface NeighbourView {
  readonly link: string;
  readonly address: string;
  readonly mac: string;
  readonly permanent: boolean;
  /** Confirmed within the last half minute or so. */
  readonly reachable: boolean;
  readonly proxy: boolean;
}

export interface TableView {
  readonly chains: readonly string[];
  /** `set key [: value]`, the fields of each with spaces between. */
  readonly elements: readonly string[];
}

export interface ProcessView {
  /** Number on the host. */
  readonly pid: number;
  readonly name: string;
  readonly argv: readonly string[];
  readonly state: string;
  /** Name of its parent. */
  readonly parent: string;
  /** `net:[inode]`. */
  readonly namespace: string;
  /** Network namespaces that it holds open by a file descriptor. */
  readonly held: readonly string[];
}
