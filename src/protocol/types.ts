/**
 * The engine's requests after decoding, and the two drivers that answer them. Field names are ours; the schemas
 * translate. Addresses are canonical text, empty strings have become absent fields.
 */

import type { PortProtocol } from '../host-state/types.ts';

/** What goes with every call: where its log entry is gathered, and when the engine has been told "too late". */
export interface Call {
  /** Fires at the deadline; a handler that finds it fired takes back what it did, for the engine was told it failed. */
  readonly signal: AbortSignal;
  /** Adds a line to "what was changed" of the call's log entry. */
  changed(what: string): void;
  /** Adds a warning to the call's log entry. */
  warn(what: string): void;
  /** Names the object of the call for the log entry, as the user knows it, once that is known. */
  about(object: string): void;
}

export interface IpamData {
  readonly addressSpace: string;
  /** CIDR. */
  readonly pool: string;
  /** CIDR with the pool's prefix length. */
  readonly gateway?: string;
  /** Name to CIDR or bare address; entries that the engine sent as `<nil>` are left out. */
  readonly aux: Readonly<Record<string, string>>;
}

export interface NetworkFlags {
  /** `com.docker.network.enable_ipv4`; true where the engine (before 28) does not say. */
  readonly ipv4: boolean;
  readonly ipv6: boolean;
  readonly internal: boolean;
  /** The `-o key=value` map. */
  readonly generic: Readonly<Record<string, string>>;
}

export interface CreateNetworkRequest extends NetworkFlags {
  readonly networkId: string;
  readonly ipv4Data: readonly IpamData[];
  readonly ipv6Data: readonly IpamData[];
}

export interface EndpointRef {
  readonly networkId: string;
  readonly endpointId: string;
}

/** A published port as the engine hands it over. */
export interface PortBinding {
  readonly protocol: PortProtocol;
  readonly port: number;
  /** Absent means any address of both families. */
  readonly hostIp?: string;
  /** 0 means: choose one. */
  readonly hostPort: number;
  readonly hostPortEnd: number;
}

export interface CreateEndpointRequest extends EndpointRef {
  /** CIDR. */
  readonly address4?: string;
  readonly address6?: string;
  readonly mac?: string;
  readonly ports: readonly PortBinding[];
  /** Endpoint driver options (`--network name=n,driver-opt=k=v`) that are strings. */
  readonly options: Readonly<Record<string, string>>;
}

/** Only what the engine left open: answering a field that it has set is an error to it. */
export interface CreateEndpointAnswer {
  readonly mac?: string;
  readonly address4?: string;
  readonly address6?: string;
}

export interface JoinRequest extends EndpointRef {
  /** Path of the sandbox's network namespace; exists at this moment only on engines from 28 on, or on connect. */
  readonly sandbox: string;
  readonly ports: readonly PortBinding[];
}

export interface JoinAnswer {
  /** The link to be moved into the sandbox, absent where none is to be moved, and the prefix of its name there. */
  readonly interfaceName: { readonly srcName?: string; readonly dstPrefix: string };
  /** Bare addresses. */
  readonly gateway4?: string;
  readonly gateway6?: string;
  /** `nextHop` absent: a connected route. */
  readonly staticRoutes: readonly { readonly destination: string; readonly nextHop?: string }[];
  /** Keeps the engine from adding a docker_gwbridge interface. */
  readonly disableGatewayService: boolean;
}

export interface ProgramRequest extends EndpointRef {
  readonly ports: readonly PortBinding[];
  /** Another network of the container is its way to IPv6: the host's IPv6 addresses are not to be relayed to it. */
  readonly noRelay?: true;
}

export interface GwAllocAnswer {
  readonly skipIpv4: boolean;
  readonly skipIpv6: boolean;
}

/** The network driver's side of the protocol. Every method may be called twice with the same request. */
export interface NetworkDriver {
  /** An engine has registered: it has started, or the driver has. Never throws. */
  registered(): void;
  gwAllocCheck(flags: NetworkFlags, call: Call): Promise<GwAllocAnswer>;
  createNetwork(request: CreateNetworkRequest, call: Call): Promise<void>;
  deleteNetwork(networkId: string, call: Call): Promise<void>;
  createEndpoint(request: CreateEndpointRequest, call: Call): Promise<CreateEndpointAnswer>;
  deleteEndpoint(ref: EndpointRef, call: Call): Promise<void>;
  operInfo(ref: EndpointRef, call: Call): Promise<Record<string, unknown>>;
  join(request: JoinRequest, call: Call): Promise<JoinAnswer>;
  leave(ref: EndpointRef, call: Call): Promise<void>;
  program(request: ProgramRequest, call: Call): Promise<void>;
  revoke(ref: EndpointRef, call: Call): Promise<void>;
}

export interface PoolRequest {
  readonly addressSpace: string;
  /** CIDR; absent means: choose one. */
  readonly pool?: string;
  /** `--ip-range`, CIDR. */
  readonly subPool?: string;
  readonly options: Readonly<Record<string, string>>;
  readonly v6: boolean;
}

export interface PoolAnswer {
  readonly poolId: string;
  readonly pool: string;
  readonly data: Readonly<Record<string, string>>;
}

export interface AddressRequest {
  readonly poolId: string;
  /** Bare; absent means: choose one. */
  readonly address?: string;
  /** The address is asked for as a gateway (`RequestAddressType`). */
  readonly gateway: boolean;
  /** Name of the container, from engine 29 on. */
  readonly endpointName?: string;
  readonly options: Readonly<Record<string, string>>;
}

/** The IPAM driver's side of the protocol. */
export interface IpamDriver {
  readonly localSpace: string;
  readonly globalSpace: string;
  /** A new registration: the engine has started, and will replay what it remembers (protocol: RequiresRequestReplay). */
  registered(): void;
  requestPool(request: PoolRequest, call: Call): Promise<PoolAnswer>;
  releasePool(poolId: string, call: Call): Promise<void>;
  /** @returns the address in CIDR form with the pool's prefix length */
  requestAddress(request: AddressRequest, call: Call): Promise<string>;
  releaseAddress(poolId: string, address: string, call: Call): Promise<void>;
}
