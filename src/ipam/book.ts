import { randomBytes } from 'node:crypto';
import { parseAddress } from '../addresses.ts';
import { TsnetError } from '../errors.ts';
import type { Store, StoredLease, StoredPool } from '../store/types.ts';
import { uniqueLocalPrefix } from './predefined-pools.ts';
import { Subnet } from './subnet.ts';

const EPOCH = 'ipam.epoch';
/** The epoch whose replay is over. */
const REPLAYED = 'ipam.replayed';
const ULA = 'ipam.ula';
const lastChosen = (space: string, family: 4 | 6): string => `ipam.last-chosen.${space}.${family}`;

/**
 * What IPAM has given out: the store's pools and leases, indexed. A change is durable before it is visible here. Made
 * from a store that can be read, or not at all.
 */
export class Book {
  readonly #store: Store;
  readonly #pools = new Map<string, StoredPool>();
  /** By space, and in it by CIDR. */
  readonly #spaces = new Map<string, Map<string, Subnet>>();
  #epoch: number;
  #replayed: number;

  /** @throws TsnetError STATE_* */
  constructor(store: Store) {
    this.#store = store;
    this.#epoch = Number(store.setting(EPOCH) ?? 0);
    this.#replayed = Number(store.setting(REPLAYED) ?? -1);
    for (const pool of store.pools()) this.#remember(pool);
    for (const lease of store.leases()) {
      const subnet = this.#keep(lease.space, lease.pool);
      const offset = subnet.find(parseAddress(lease.address));
      if (offset === undefined) {
        throw new TsnetError('STATE_CORRUPT', `${lease.address} is recorded in the pool ${lease.pool}`);
      }
      subnet.hold(offset, lease);
    }
  }

  /** How often an engine has registered. */
  get epoch(): number {
    return this.#epoch;
  }

  nextEpoch(): void {
    this.#store.putSetting(EPOCH, String(this.#epoch + 1));
    this.#epoch++;
  }

  /** Whether all that the engine has said since it registered may be a repetition of what it remembers. Outlives this process. */
  get replaying(): boolean {
    return this.#replayed !== this.#epoch;
  }

  /** @throws TsnetError STATE_*: the next process then takes the engine to be in the middle of it */
  endReplay(): void {
    if (!this.replaying) return;
    this.#replayed = this.#epoch;
    this.#store.putSetting(REPLAYED, String(this.#epoch));
  }

  pool(id: string): StoredPool | undefined {
    return this.#pools.get(id);
  }

  pools(): IteratorObject<StoredPool> {
    return this.#pools.values();
  }

  /** The leases of a space, those of one subnet in a row. */
  leases(space: string): StoredLease[] {
    return [...(this.#spaces.get(space)?.values() ?? [])].flatMap(subnet => [...subnet.leases()]);
  }

  /** Every subnet that has a pool or a lease, in whatever space. */
  inUse(): Subnet[] {
    return [...this.#spaces.values()].flatMap(subnets => [...subnets.values()]);
  }

  putPool(pool: StoredPool): void {
    this.#store.putPool(pool);
    this.#remember(pool);
  }

  deletePool({ id, space, pool }: StoredPool): void {
    this.#store.deletePool(id);
    this.#pools.delete(id);
    this.#tidy(space, pool);
  }

  /** The addresses of a CIDR of a space; an empty one if nothing is known of it. */
  subnet(space: string, pool: string): Subnet {
    return this.#spaces.get(space)?.get(pool) ?? new Subnet(pool);
  }

  /** @param pool the pool as it is from now on, if its search has moved */
  putLease(offset: bigint, lease: StoredLease, pool?: StoredPool): void {
    this.#store.putLease(lease, pool);
    this.#keep(lease.space, lease.pool).hold(offset, lease);
    if (pool !== undefined) this.#remember(pool);
  }

  deleteLease(offset: bigint, { space, pool, address }: StoredLease): void {
    this.#store.deleteLease(space, pool, address);
    this.subnet(space, pool).free(offset);
    this.#tidy(space, pool);
  }

  /** Index of the predefined pool that was chosen last. */
  lastChosen(space: string, family: 4 | 6): number {
    return Number(this.#store.setting(lastChosen(space, family)) ?? -1);
  }

  putLastChosen(space: string, family: 4 | 6, index: number): void {
    this.#store.putSetting(lastChosen(space, family), String(index));
  }

  /** The host's own IPv6 prefix, CIDR of 48 bits; made up at first use and kept. */
  uniqueLocalPrefix(): string {
    const known = this.#store.setting(ULA);
    if (known !== undefined) return known;
    const made = uniqueLocalPrefix(randomBytes);
    this.#store.putSetting(ULA, made);
    return made;
  }

  #remember(pool: StoredPool): void {
    this.#pools.set(pool.id, pool);
    this.#keep(pool.space, pool.pool);
  }

  #keep(space: string, pool: string): Subnet {
    let subnets = this.#spaces.get(space);
    if (subnets === undefined) {
      subnets = new Map();
      this.#spaces.set(space, subnets);
    }
    let subnet = subnets.get(pool);
    if (subnet === undefined) {
      subnet = new Subnet(pool);
      subnets.set(pool, subnet);
    }
    return subnet;
  }

  #tidy(space: string, pool: string): void {
    if (this.subnet(space, pool).leaseCount > 0) return;
    const isNamed = this.#pools.values().some(p => p.space === space && p.pool === pool);
    if (!isNamed) this.#spaces.get(space)?.delete(pool);
  }
}
