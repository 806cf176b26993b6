import { parseAddress } from '../../src/addresses.ts';
import { returnAddress, takeAddress } from '../../src/ipam/address-desk.ts';
import { Book } from '../../src/ipam/book.ts';
import { takePool } from '../../src/ipam/pool-desk.ts';
import type { Store, StoredPool } from '../../src/store/types.ts';

/** The largest pool that is of any use in IPv4: room for 16,777,214 addresses. */
const POOL = '10.0.0.0/8';
const ANY = { gateway: false, options: {} } as const;

/** IPAM's books with addresses taken. */
export class FilledPool {
  readonly #book: Book;
  readonly #id: string;

  /** @param taken number of addresses that others have, one after the other from the beginning */
  constructor(store: Store, taken: number) {
    this.#book = new Book(store);
    this.#id = takePool(this.#book, {
      addressSpace: 'tsnet-local',
      pool: POOL,
      v6: false,
      options: {},
    }).id;
    for (let k = 0; k < taken; k++) this.take();
  }

  take(): string {
    const moment = { replaying: false, seen: { isInUse: () => false, isGateway: () => false } };
    return takeAddress(this.#book, this.#pool, { poolId: this.#id, ...ANY }, moment);
  }

  /**
   * Takes addresses and gives each back.
   * @param clock in milliseconds
   * @returns pairs a second
   */
  rate(pairs: number, clock = () => performance.now()): number {
    const start = clock();
    for (let k = 0; k < pairs; k++) returnAddress(this.#book, this.#pool, parseAddress(this.take()));
    return (pairs / (clock() - start)) * 1000;
  }

  get #pool(): StoredPool {
    const pool = this.#book.pool(this.#id);
    if (pool === undefined) throw new Error('limits: the pool is gone');
    return pool;
  }
}

/** A store that keeps nothing: what is measured is what IPAM decides, not what the disk takes. */
export const NO_STORE: Store = {
  networks: () => [],
  putNetwork: () => undefined,
  deleteNetwork: () => undefined,
  endpoints: () => [],
  putEndpoint: () => undefined,
  deleteEndpoint: () => undefined,
  pools: () => [],
  putPool: () => undefined,
  deletePool: () => undefined,
  leases: () => [],
  putLease: () => undefined,
  deleteLease: () => undefined,
  setting: () => undefined,
  putSetting: () => undefined,
  close: () => undefined,
};
