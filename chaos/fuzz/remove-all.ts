import type { FuzzRequest } from './request.ts';
import type { Held } from './target.ts';

/** What an engine sends to be rid of everything: each request once, and each can be done. */
export function removeAll({ endpoints, networks, leases, pools }: Held): FuzzRequest[] {
  const request = (method: string, body: object): FuzzRequest => ({
    path: `/${method}`,
    body: JSON.stringify(body),
    kind: 'valid',
  });
  return [
    ...endpoints.flatMap(({ id, networkId }) =>
      ['Leave', 'DeleteEndpoint'].map(method =>
        request(`NetworkDriver.${method}`, { NetworkID: networkId, EndpointID: id }),
      ),
    ),
    ...networks.map(({ id }) => request('NetworkDriver.DeleteNetwork', { NetworkID: id })),
    ...leases.map(({ space, pool, address }) =>
      request('IpamDriver.ReleaseAddress', { PoolID: `${space}/${pool}`, Address: address }),
    ),
    ...pools.map(id => request('IpamDriver.ReleasePool', { PoolID: id })),
  ];
}
