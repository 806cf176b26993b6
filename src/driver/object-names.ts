import type { Endpoint, Network } from '../model.ts';

/** A network as its user knows it: by name once that is learned, by the first 12 digits of its id until then. */
export const nameOfNetwork = (network: Pick<Network, 'id' | 'name'>): string =>
  `network ${network.name ?? network.id.slice(0, 12)}`;

/** An endpoint as its user knows it: by address, or by id where it has none. */
export const nameOfEndpoint = (endpoint: Pick<Endpoint, 'id' | 'address4' | 'address6'>): string =>
  `endpoint ${endpoint.address4 ?? endpoint.address6 ?? endpoint.id.slice(0, 12)}`;
