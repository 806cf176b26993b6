import { bareOf, familyOf } from '../addresses.ts';
import type { PortProtocol } from '../host-state/types.ts';
import type { Endpoint, GatewayMode, Network, PortRequest } from '../model.ts';

/** A port to be found on the host: the same number on each of the addresses. */
export interface WantedPort {
  readonly protocol: PortProtocol;
  /** Of the container. */
  readonly port: number;
  /** Bare; `0.0.0.0` and `::` stand for every address of their family. */
  readonly addresses: readonly string[];
  /** First and last number that will do; 0: any free one. */
  readonly first: number;
  readonly last: number;
}

export const ANY4 = '0.0.0.0';
export const ANY6 = '::';

/** Whether ports are published by translation. */
export const isNat = (mode: GatewayMode): boolean => mode === 'nat' || mode === 'nat-unprotected';

/** Whether ports are published on the host at all: always on bridges, on a LAN when the user wants it. */
export function publishesOnHost({ options, internal }: Network): boolean {
  if (internal) return false;
  return options.mode === 'bridge' || options.publish === 'host' || options.publish === 'both';
}

/**
 * What a container's `-p` and `-P` ask of the host. As with the engine's own bridge a port without a host address is
 * published on every address of both families, or on the network's host binding.
 * @param relay whether the host's IPv6 addresses may be relayed to a container that has only IPv4
 */
export function wantedPorts(network: Network, endpoint: Endpoint, relay: boolean): readonly WantedPort[] {
  if (!publishesOnHost(network)) return [];
  return endpoint.ports.flatMap((request): WantedPort[] => {
    const addresses = hostAddressesOf(network, request).filter(address =>
      isReachable(network, endpoint, request.protocol, address, relay),
    );
    if (addresses.length === 0) return [];
    const { protocol, port, hostPort: first, hostPortEnd: last } = request;
    return [{ protocol, port, addresses, first, last }];
  });
}

/** The addresses of the host that a port is meant for; where nothing is translated they say at least which families. */
export function hostAddressesOf({ options }: Network, { hostIp }: PortRequest): string[] {
  const asked = hostIp ?? options.hostBinding;
  return asked === undefined || (hostIp === undefined && asked === ANY4) ? [ANY4, ANY6] : [asked];
}

function isReachable(
  { options }: Network,
  { address4, address6 }: Endpoint,
  protocol: PortProtocol,
  address: string,
  relay: boolean,
): boolean {
  const over4 = address4 !== undefined && isNat(options.gatewayMode4);
  if (familyOf(address) === 4) return over4;
  if (address6 !== undefined) return isNat(options.gatewayMode6);
  return over4 && relay && protocol !== 'sctp';
}

/** The container's address that a port on a host address leads to, bare; undefined: it has none. */
export function targetOf({ address4, address6 }: Endpoint, hostAddress: string): string | undefined {
  const target = familyOf(hostAddress) === 4 ? address4 : (address6 ?? address4);
  return target === undefined ? undefined : bareOf(target);
}
