import type { PluginClient } from './plugin-client.ts';

/** A bridge network, whose containers get their interfaces from tsnet itself, and none of it from an engine. */
export interface TestNetwork {
  /** As the engine's: 64 hex digits. */
  readonly id: string;
  /** First address, as a number. */
  readonly base: number;
  readonly prefix: number;
}

/** A container's place on a network. */
export interface Place {
  readonly network: TestNetwork;
  readonly endpointId: string;
  /** CIDR. */
  readonly address: string;
  /** Path of the network namespace that stands for the container. */
  readonly sandbox: string;
}

/** What connecting and disconnecting a container took; milliseconds of all calls. */
export interface CallTimes {
  readonly attach: number;
  readonly detach: number;
}

/** 198.18.0.0/15, which is kept for benchmarks (RFC 2544). */
const FIRST = 0xc6120000;

const idOf = (kind: string, number: number): string =>
  `${kind}${number.toString(16)}`.padEnd(64 - 8, '0') + number.toString(16).padStart(8, '0');

const dotted = (word: number): string => [24, 16, 8, 0].map(shift => (word >>> shift) & 255).join('.');

/** @param prefix bits of the subnet's length, the same for all networks of one daemon */
export const testNetwork = (number: number, prefix: number): TestNetwork => ({
  id: idOf('a', number),
  base: FIRST + number * 2 ** (32 - prefix),
  prefix,
});

/** @param number from 0; each has an address of its own on the network */
export const placeOn = (network: TestNetwork, number: number, sandbox: string): Place => ({
  network,
  endpointId: idOf('e', (network.base % 2 ** 20) * 2 ** 10 + number),
  address: `${dotted(network.base + 2 + number)}/${network.prefix}`,
  sandbox,
});

export async function createNetwork(client: PluginClient, { id, base, prefix }: TestNetwork): Promise<void> {
  await client.call('NetworkDriver.CreateNetwork', {
    NetworkID: id,
    Options: {
      'com.docker.network.enable_ipv4': true,
      'com.docker.network.enable_ipv6': false,
      'com.docker.network.generic': { attach: 'inside' },
    },
    IPv4Data: [
      {
        AddressSpace: 'LocalDefault',
        Pool: `${dotted(base)}/${prefix}`,
        Gateway: `${dotted(base + 1)}/${prefix}`,
      },
    ],
    IPv6Data: [],
  });
}

/** What an engine calls when a container is connected. @returns milliseconds */
export async function attach(client: PluginClient, place: Place): Promise<number> {
  const ref = refOf(place);
  const start = performance.now();
  await client.call('NetworkDriver.CreateEndpoint', {
    ...ref,
    Interface: { Address: place.address, AddressIPv6: '', MacAddress: '' },
    Options: {},
  });
  await client.call('NetworkDriver.Join', { ...ref, SandboxKey: place.sandbox, Options: {} });
  await client.call('NetworkDriver.ProgramExternalConnectivity', { ...ref, Options: {} });
  return performance.now() - start;
}

/** What an engine calls when a container is disconnected. @returns milliseconds */
export async function detach(client: PluginClient, place: Place): Promise<number> {
  const ref = refOf(place);
  const start = performance.now();
  await client.call('NetworkDriver.RevokeExternalConnectivity', ref);
  await client.call('NetworkDriver.Leave', ref);
  await client.call('NetworkDriver.DeleteEndpoint', ref);
  return performance.now() - start;
}

const refOf = ({ network, endpointId }: Place) => ({ NetworkID: network.id, EndpointID: endpointId });
