import { bareOf, familyOf, isWithin } from '../addresses.ts';
import type { EnginePort } from '../engine/types.ts';
import type { NamespaceView } from '../kernel/types.ts';
import type { PromisedEndpoint } from './endpoint.ts';
import { isBridge, isNat } from './network.ts';

/** A port of the host that is to lead to a container. */
export interface PromisedPort {
  readonly endpoint: PromisedEndpoint;
  readonly protocol: string;
  /** Bare; `0.0.0.0` and `::` are every address of their family. */
  readonly hostAddress: string;
  /** 0: any that was free. */
  readonly hostPort: number;
  readonly port: number;
  /** The container's address that packets are translated to, bare; undefined: tsnet passes them on itself. */
  readonly target: string | undefined;
}

/** Whether a container's ports are published by way of this network: by that which gives it its way out, and not by an internal one. */
export function isWayOut(endpoint: PromisedEndpoint, inside: NamespaceView | undefined): boolean {
  const interfaces = inside?.links.filter(({ mac }) => mac === endpoint.mac).map(({ name }) => name) ?? [];
  return (
    inside?.routes.some(({ destination, link }) => destination === 'default' && interfaces.includes(link)) ??
    false
  );
}

/** The ports of the host that lead to one endpoint. @param endpoint the container's way out */
export function publishedOnHost(endpoint: PromisedEndpoint): PromisedPort[] {
  const { on } = endpoint;
  const published = isBridge(on) || on.publish === 'host' || on.publish === 'both';
  if (!published || on.internal) return [];
  return endpoint.container.ports.flatMap(port =>
    hostAddresses(endpoint, port).flatMap(address => portAt(endpoint, port, address) ?? []),
  );
}

const ANY = ['0.0.0.0', '::'];

function hostAddresses({ on }: PromisedEndpoint, { hostIp }: EnginePort): readonly string[] {
  if (hostIp !== '') return [hostIp];
  return on.hostBinding === '' || on.hostBinding === '0.0.0.0' ? ANY : [on.hostBinding];
}

function portAt(endpoint: PromisedEndpoint, port: EnginePort, hostAddress: string): PromisedPort | undefined {
  const { on } = endpoint;
  const [address4, address6] = ([4, 6] as const).map(family =>
    endpoint.addresses.map(bareOf).find(address => familyOf(address) === family),
  );
  const over4 = address4 !== undefined && isNat(on.gatewayMode[4]);
  const entry = {
    endpoint,
    protocol: port.protocol,
    hostAddress,
    hostPort: port.host,
    port: port.container,
  };
  if (familyOf(hostAddress) === 4) return over4 ? { ...entry, target: address4 } : undefined;
  if (address6 !== undefined) return isNat(on.gatewayMode[6]) ? { ...entry, target: address6 } : undefined;
  return over4 && port.protocol !== 'sctp' ? { ...entry, target: undefined } : undefined;
}

/** Ports that a container answers on at its own address of a LAN. */
export function publishedOnOwn(endpoint: PromisedEndpoint): {
  readonly protocol: string;
  readonly address: string;
  readonly from: number;
  readonly to: number;
}[] {
  const { on } = endpoint;
  if (isBridge(on) || on.internal || (on.publish !== 'self' && on.publish !== 'both')) return [];
  return endpoint.addresses.map(bareOf).flatMap(address =>
    endpoint.container.ports
      .filter(
        ({ hostIp }) =>
          hostIp === '' || hostIp === address || hostIp === ANY[familyOf(address) === 4 ? 0 : 1],
      )
      .map(({ protocol, container, host }) => ({
        protocol,
        address,
        from: host || container,
        to: container,
      })),
  );
}

/** Whether a port of the host is of an address, or of every one. */
export const isAt = (hostAddress: string, address: string): boolean =>
  ANY.includes(hostAddress)
    ? familyOf(hostAddress) === familyOf(address)
    : isWithin(`${hostAddress}/${familyOf(hostAddress) === 4 ? 32 : 128}`, address);
