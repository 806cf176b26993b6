/** What the engine says that there is: its API's words, read into the terms of the rules. */
export interface EngineView {
  readonly networks: readonly EngineNetwork[];
  readonly containers: readonly EngineContainer[];
}

export interface EngineNetwork {
  readonly id: string;
  readonly name: string;
  readonly driver: string;
  readonly internal: boolean;
  readonly ipv6: boolean;
  readonly options: Readonly<Record<string, string>>;
  readonly ipamDriver: string;
  readonly subnets: readonly EngineSubnet[];
  /** Endpoint's id to the container's, as the network has them. */
  readonly endpoints: ReadonlyMap<string, string>;
}

export interface EngineSubnet {
  /** CIDR. */
  readonly subnet: string;
  /** Bare; absent where neither the user nor the engine has written one down. */
  readonly gateway?: string;
  readonly aux: Readonly<Record<string, string>>;
}

export interface EngineContainer {
  readonly id: string;
  readonly name: string;
  readonly running: boolean;
  /** Number in the host's pid namespace. */
  readonly pid: number;
  /** Path on the host; '' where it has none. */
  readonly sandbox: string;
  /** Whether it has a network namespace of its own: not the host's, not another container's. */
  readonly ownNamespace: boolean;
  readonly attachments: readonly EngineAttachment[];
  readonly ports: readonly EnginePort[];
}

/** One network of a container, as `docker inspect` tells it. */
export interface EngineAttachment {
  readonly network: string;
  readonly networkId: string;
  /** '' while the container does not run. */
  readonly endpointId: string;
  /** CIDR, canonical; the container's addresses of both families, as far as it has them. */
  readonly addresses: readonly string[];
  readonly mac: string;
  /** Bare. */
  readonly gateways: readonly string[];
  /** Bare addresses that the user asked for. */
  readonly asked: readonly string[];
}

/** What `-p` asked for. */
export interface EnginePort {
  readonly protocol: string;
  readonly container: number;
  /** '' : every address of the host. */
  readonly hostIp: string;
  /** 0: any free one. */
  readonly host: number;
}
