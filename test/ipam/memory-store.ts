import { TsnetError } from '../../src/errors.ts';
import type { Store, StoredLease, StoredPool } from '../../src/store/types.ts';

const leaseKey = (space: string, pool: string, address: string) => `${space} ${pool} ${address}`;

/** IPAM's part of a store, in memory; it refuses everything while `failure` is set. */
export class MemoryStore implements Store {
  failure: TsnetError | undefined;
  readonly #pools = new Map<string, StoredPool>();
  readonly #leases = new Map<string, StoredLease>();
  readonly #settings = new Map<string, string>();

  pools(): StoredPool[] {
    return this.#ready(() => [...this.#pools.values()]);
  }
  putPool(pool: StoredPool): void {
    this.#ready(() => this.#pools.set(pool.id, pool));
  }
  deletePool(id: string): void {
    this.#ready(() => this.#pools.delete(id));
  }
  leases(): StoredLease[] {
    return this.#ready(() => [...this.#leases.values()]);
  }
  putLease(lease: StoredLease, pool?: StoredPool): void {
    this.#ready(() => this.#leases.set(leaseKey(lease.space, lease.pool, lease.address), lease));
    if (pool !== undefined) this.putPool(pool);
  }
  deleteLease(space: string, pool: string, address: string): void {
    this.#ready(() => this.#leases.delete(leaseKey(space, pool, address)));
  }
  setting(name: string): string | undefined {
    return this.#ready(() => this.#settings.get(name));
  }
  putSetting(name: string, value: string): void {
    this.#ready(() => this.#settings.set(name, value));
  }

  networks = () => this.#notIpam();
  putNetwork = () => this.#notIpam();
  deleteNetwork = () => this.#notIpam();
  endpoints = () => this.#notIpam();
  putEndpoint = () => this.#notIpam();
  deleteEndpoint = () => this.#notIpam();
  close = () => this.#notIpam();

  #ready<T>(action: () => T): T {
    if (this.failure !== undefined) throw this.failure;
    return action();
  }

  #notIpam(): never {
    throw new Error('no business of IPAM');
  }
}

export const unwritable = (): TsnetError => new TsnetError('STATE_UNWRITABLE', 'test');
