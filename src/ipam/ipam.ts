import { parseAddress, parseCidr } from '../addresses.ts';
import { TsnetError } from '../errors.ts';
import type { AddressRequest, Call, IpamDriver, PoolAnswer, PoolRequest } from '../protocol/types.ts';
import type { Store, StoredLease, StoredPool } from '../store/types.ts';
import { returnAddress, type Seen, takeAddress } from './address-desk.ts';
import { Book } from './book.ts';
import { newPool, returnPool, takePool } from './pool-desk.ts';
import { type PoolName, parsePoolId } from './pool-id.ts';

/**
 * The IPAM driver: what it has given out is durable before it answers, and asking twice does no harm. Every method
 * throws the store's STATE_* while the store cannot be used, and works again as soon as it can.
 */
export class Ipam implements IpamDriver {
  readonly localSpace = 'tsnet-local';
  readonly globalSpace = 'tsnet-global';
  readonly #store: Store;
  readonly #seen: Seen;
  #book: Book | undefined;
  #registrations = 0;

  constructor(store: Store, seen: Seen = { isInUse: () => false, isGateway: () => false }) {
    this.#store = store;
    this.#seen = seen;
  }

  registered(): void {
    this.#registrations++;
    try {
      this.#use();
    } catch {
      // Counted once the store can be used; till then every other call tells what is wrong with it. To fail here
      // would have the engine go on without replay.
    }
  }

  /** The engine has asked for something that no replay asks for: what it remembers it has said. */
  replayed(): void {
    try {
      this.#use().endReplay();
    } catch {
      // Whatever needs the store tells what is wrong with it.
    }
  }

  async requestPool(request: PoolRequest, call: Call): Promise<PoolAnswer> {
    call.about(`pool ${request.pool ?? 'of any kind'}`);
    if (request.pool === undefined) this.replayed();
    this.#checkSpace(request.addressSpace);
    const pool = takePool(this.#use(), request);
    call.changed(`pool ${pool.id} held`);
    return { poolId: pool.id, pool: pool.pool, data: {} };
  }

  async releasePool(poolId: string, call: Call): Promise<void> {
    call.about(`pool ${poolId}`);
    this.replayed();
    const result = returnPool(this.#use(), poolId);
    if (result === 'released') call.changed(`pool ${poolId} released`);
    if (result === 'kept') call.warn(`pool ${poolId} kept: another network has addresses of it`);
  }

  async requestAddress(request: AddressRequest, call: Call): Promise<string> {
    call.about(`pool ${request.poolId}`);
    if (request.address === undefined || request.endpointName !== undefined) this.replayed();
    const pool = this.#pool(request.poolId);
    const moment = { replaying: this.#use().replaying, seen: this.#seen };
    const address = takeAddress(this.#use(), pool, request, moment);
    call.changed(`address ${address} of ${request.poolId} taken`);
    return `${address}/${parseCidr(pool.pool).prefix}`;
  }

  async releaseAddress(poolId: string, address: string, call: Call): Promise<void> {
    call.about(`pool ${poolId}`);
    this.replayed();
    const name = parsePoolId(poolId);
    if (name === undefined) return;
    const result = returnAddress(this.#use(), name, parseAddress(address));
    if (result === 'released') call.changed(`address ${address} of ${poolId} released`);
    if (result === 'kept') call.changed(`gateway ${address} of ${poolId} has one network less`);
  }

  /**
   * What networks of this engine have. The other space is not its own: a swarm's manager gives addresses of it to other nodes.
   * @throws TsnetError STATE_*
   */
  held(): { readonly pools: readonly StoredPool[]; readonly leases: readonly StoredLease[] } {
    const book = this.#use();
    const pools = book.pools().filter(({ space }) => space === this.localSpace);
    return { pools: [...pools], leases: book.leases(this.localSpace) };
  }

  /**
   * The pool of an id. One that the store has lost is made again from what the id says: the engine has networks on it.
   * Its epoch is that of no registration, for nobody knows whether a replay has gone by.
   */
  #pool(id: string): StoredPool {
    const known = this.#use().pool(id);
    if (known !== undefined) return known;
    const name = parsePoolId(id);
    if (name === undefined || !this.#isOwn(name)) throw new TsnetError('POOL_UNKNOWN', `pool ${id}`);
    return newPool(name, 0);
  }

  #use(): Book {
    this.#book ??= new Book(this.#store);
    if (this.#registrations > 0) {
      this.#book.nextEpoch();
      this.#registrations = 0;
    }
    return this.#book;
  }

  #isOwn({ space }: Pick<PoolName, 'space'>): boolean {
    return space === this.localSpace || space === this.globalSpace;
  }

  #checkSpace(space: string): void {
    if (!this.#isOwn({ space }))
      throw new TsnetError('SPACE_UNKNOWN', `address space ${JSON.stringify(space)}`);
  }
}
