import { TsnetError } from '../errors.ts';
import type { Endpoint, Network } from '../model.ts';
import { nameOfEndpoint, nameOfNetwork } from './object-names.ts';
import type { State } from './state.ts';

/** @throws TsnetError NETWORK_UNKNOWN, also for one whose removal has begun */
export function requireNetwork(state: State, id: string): Network {
  const network = state.network(id);
  if (network === undefined || network.lifecycle === 'deleting') {
    throw new TsnetError('NETWORK_UNKNOWN', `network ${id.slice(0, 12)} is not known`);
  }
  return network;
}

/** @throws TsnetError ENDPOINT_UNKNOWN, also for one whose removal has begun */
export function requireEndpoint(state: State, network: Network, id: string): Endpoint {
  const endpoint = state.endpoint(network.id, id);
  if (endpoint === undefined || endpoint.lifecycle === 'deleting') {
    throw new TsnetError(
      'ENDPOINT_UNKNOWN',
      `endpoint ${id.slice(0, 12)} on ${nameOfNetwork(network)} is not known`,
    );
  }
  return endpoint;
}

/**
 * Ports are published for a container: before Join nothing is desired of the host for an endpoint, and nothing would
 * take back what it holds.
 * @throws TsnetError ENDPOINT_UNKNOWN
 */
export function requireJoined(endpoint: Endpoint, network: Network): void {
  if (endpoint.joined) return;
  throw new TsnetError(
    'ENDPOINT_UNKNOWN',
    `${nameOfEndpoint(endpoint)} on ${nameOfNetwork(network)} is in no container`,
  );
}
