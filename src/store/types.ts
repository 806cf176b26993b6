import type { Endpoint, Network } from '../model.ts';

export interface StoredPool {
  /** Deterministic id that the engine persists: see ipam/pool-id.ts. */
  readonly id: string;
  readonly space: string;
  /** CIDR, canonical. */
  readonly pool: string;
  /** `--ip-range`, CIDR, canonical. */
  readonly subPool?: string;
  /** Host part of the address handed out last, as decimal text: where the search for the next one starts. */
  readonly cursor: string;
  /** Registration of the engine in which the pool was last asked for. */
  readonly epoch: number;
}

export interface StoredLease {
  readonly space: string;
  /** CIDR of the pool that the address belongs to (leases of two ranges of one pool share it). */
  readonly pool: string;
  /** Bare, canonical. */
  readonly address: string;
  readonly epoch: number;
  /** Name of the container, or which networks have it as gateway, where known: see ipam/claim.ts. */
  readonly holder?: string;
}

/**
 * tsnet's durable state. A write has reached the disk when the method returns; one of an endpoint outlives the process,
 * but perhaps not the host, for neither do containers and links. Every method may throw
 * STATE_UNWRITABLE, STATE_FULL, STATE_CORRUPT or STATE_TOO_NEW, and a store that could not be opened tries again
 * at the next call.
 */
export interface Store {
  networks(): Network[];
  putNetwork(network: Network): void;
  deleteNetwork(id: string): void;
  endpoints(): Endpoint[];
  putEndpoint(endpoint: Endpoint): void;
  deleteEndpoint(id: string): void;

  pools(): StoredPool[];
  putPool(pool: StoredPool): void;
  deletePool(id: string): void;
  leases(): Iterable<StoredLease>;
  /** Writes a lease and, in the same transaction, where the pool's search stands. */
  putLease(lease: StoredLease, pool?: StoredPool): void;
  deleteLease(space: string, pool: string, address: string): void;

  /** Small values by name: the engine's registration count, the host's ULA prefix. */
  setting(name: string): string | undefined;
  putSetting(name: string, value: string): void;

  close(): void;
}
