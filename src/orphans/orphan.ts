import { nameOfEndpoint, nameOfNetwork } from '../driver/object-names.ts';
import type { Endpoint, Network } from '../model.ts';
import type { StoredLease, StoredPool } from '../store/types.ts';

interface Common {
  /** Names it among all things, see Heard. */
  readonly thing: string;
  /** As its user knows it: `network web`. */
  readonly words: string;
  /** Why it is not removed, in words; absent: it may be. */
  readonly kept?: string;
}

/** Something that tsnet has and the engine does not know. */
export type Orphan = Common &
  (
    | { readonly kind: 'network'; readonly network: Network }
    | { readonly kind: 'endpoint'; readonly endpoint: Endpoint }
    | { readonly kind: 'address'; readonly lease: StoredLease }
    | { readonly kind: 'pool'; readonly pool: StoredPool }
  );

export const networkThing = (id: string): string => `network ${id}`;
export const endpointThing = (id: string): string => `endpoint ${id}`;
export const poolThing = (id: string): string => `pool ${id}`;
/** @param pool CIDR @param address bare */
export const addressThing = ({ space, pool, address }: Pick<StoredLease, 'space' | 'pool' | 'address'>) =>
  `address ${address} of ${space}/${pool}`;

export const orphanNetwork = (network: Network, kept?: string): Orphan => ({
  kind: 'network',
  thing: networkThing(network.id),
  words: nameOfNetwork(network),
  network,
  ...(kept === undefined ? {} : { kept }),
});

export const orphanEndpoint = (network: Network, endpoint: Endpoint): Orphan => ({
  kind: 'endpoint',
  thing: endpointThing(endpoint.id),
  words: `${nameOfEndpoint(endpoint)} on ${nameOfNetwork(network)}`,
  endpoint,
});

export const orphanAddress = (lease: StoredLease): Orphan => ({
  kind: 'address',
  thing: addressThing(lease),
  words: `address ${lease.address} of the pool ${lease.pool}${lease.holder === undefined ? '' : ` (${lease.holder})`}`,
  lease,
});

export const orphanPool = (pool: StoredPool): Orphan => ({
  kind: 'pool',
  thing: poolThing(pool.id),
  words: `pool ${pool.id}`,
  pool,
});
