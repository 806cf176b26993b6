import type { MacvlanMode, PortProtocol } from './host-state/types.ts';

/** What tsnet remembers of a subnet of a network, as the engine's IPAM data gave it. */
export interface Subnet {
  /** CIDR, canonical. */
  readonly pool: string;
  /** CIDR with the pool's prefix length; absent when the engine reserved none. */
  readonly gateway?: string;
  /** `--aux-address` by name, CIDR or bare address as given. */
  readonly aux: Readonly<Record<string, string>>;
}

export type ModeName = 'bridge' | 'macvlan';

/** How packets from elsewhere reach the containers of a bridge network, as the engine's own driver has it. */
export type GatewayMode = 'nat' | 'nat-unprotected' | 'routed' | 'isolated';

/** Where `-p` publishes on a LAN: on the container's own address, on the host's, on both, nowhere. */
export type PublishPlace = 'self' | 'host' | 'both' | 'off';

/**
 * Who puts an interface into its container: the engine, which moves, names and counts it, or tsnet, which makes it there
 * at once. `auto`: the engine the first one of a container, tsnet what is connected besides.
 */
export type Attachment = 'auto' | 'inside' | 'engine';

/** Driver options after parsing: defaults filled in, every value of its own type. */
export interface NetworkOptions {
  readonly mode: ModeName;
  readonly parent?: string;
  readonly macvlanMode: MacvlanMode;
  readonly shim: boolean;
  /** Bytes; 0 leaves it to the kernel. */
  readonly mtu: number;
  readonly bridgeName?: string;
  readonly icc: boolean;
  readonly masquerade: boolean;
  /** First part of the interface name inside the container. */
  readonly ifacePrefix: string;
  readonly publish: PublishPlace;
  /** Bare address that ports are published on when `-p` names none; absent: every address of both families. */
  readonly hostBinding?: string;
  readonly gatewayMode4: GatewayMode;
  readonly gatewayMode6: GatewayMode;
  readonly isolation: boolean;
  /** CIDRs of the clients that published ports are open to; empty: everybody. */
  readonly allowFrom: readonly string[];
  /** Whose rules published ports are judged by besides tsnet's own. */
  readonly firewall: 'own' | 'ufw';
  readonly attach: Attachment;
  /** How often neighbours are told whose MAC an address has, of interfaces that tsnet puts into containers. */
  readonly announceCount: number;
  /** Milliseconds between. */
  readonly announceMs: number;
}

/** A row is durable before the first kernel write and goes after the last: `deleting` lies between. */
export type Lifecycle = 'live' | 'deleting';

export interface Network {
  /** 64 hex digits, or 25 of base 36 for a swarm network. */
  readonly id: string;
  /** The user's name for it; the protocol never says it, so it is learned later. */
  readonly name?: string;
  readonly lifecycle: Lifecycle;
  readonly options: NetworkOptions;
  readonly internal: boolean;
  readonly ipv4: boolean;
  readonly ipv6: boolean;
  readonly subnets4: readonly Subnet[];
  readonly subnets6: readonly Subnet[];
  /**
   * What the links of this network hang on, decided once at creation and never guessed again:
   * `own` is made and removed by tsnet, `foreign` existed before and is never re-addressed nor removed.
   */
  readonly base: {
    readonly kind: 'own' | 'foreign';
    readonly link: string;
    readonly type: 'bridge' | 'dummy' | 'parent';
  };
}

/** A port that `-p` or `-P` asks for, as the engine handed it over. */
export interface PortRequest {
  readonly protocol: PortProtocol;
  /** Of the container. */
  readonly port: number;
  /** Bare address of the host; absent: any address of both families. */
  readonly hostIp?: string;
  /** First and last port of the host that will do; 0: any free one. */
  readonly hostPort: number;
  readonly hostPortEnd: number;
}

/** A port of the host that leads to a container. */
export interface PublishedPort {
  readonly protocol: PortProtocol;
  /** Bare; `0.0.0.0` and `::` stand for every address of their family. */
  readonly hostAddress: string;
  readonly hostPort: number;
  readonly port: number;
}

export interface Endpoint {
  /** 64 hex digits, new for every start of a container. */
  readonly id: string;
  readonly networkId: string;
  readonly lifecycle: Lifecycle;
  /** CIDR; absent when the network has no such family or IPAM gave none. */
  readonly address4?: string;
  readonly address6?: string;
  readonly mac: string;
  /** Whether the user or engine chose the MAC; else tsnet did and returns it. */
  readonly macFromEngine: boolean;
  /** Between Join and DeleteEndpoint its link exists. */
  readonly joined: boolean;
  /** After Leave. The engine forgets the endpoint then, whether tsnet hears its DeleteEndpoint or not. */
  readonly left?: true;
  /** Path of the sandbox's network namespace, as Join named it. */
  readonly sandbox?: string;
  /** Name of its interface in the sandbox, where tsnet made that there; absent: the engine moves it and names it. */
  readonly inside?: string;
  /** First part of the name that the engine is to give it; absent: the network's. */
  readonly prefix?: string;
  /** Name that the user wants it to have (`com.docker.network.endpoint.ifname`). */
  readonly ifname?: string;
  /** Kernel parameters for it, as the user gave them (`com.docker.network.endpoint.sysctls`). */
  readonly sysctls?: string;
  /** What the container's `-p` and `-P` ask for, as Join said it. */
  readonly ports: readonly PortRequest[];
  /** What of it is published on the host at present: between Program and Revoke. */
  readonly published: readonly PublishedPort[];
}
