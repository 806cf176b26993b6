import { type Address, bitsOf, type Cidr, cidrContains, formatAddress, parseCidr } from '../addresses.ts';
import { TsnetError } from '../errors.ts';
import type { StoredLease } from '../store/types.ts';
import { type Bounds, choosable, countOf, usable } from './bounds.ts';
import { OffsetMap } from './offset-map.ts';
import { OffsetSet } from './offset-set.ts';

/** The addresses of one CIDR of one space and who has them, in memory: shared by all pools of that CIDR. */
export class Subnet {
  readonly cidr: Cidr;
  readonly #leases = new OffsetMap<StoredLease>();
  readonly #bounds = new Map<string | undefined, Bounds>();
  readonly #taken: OffsetSet;

  /** @param pool CIDR, canonical */
  constructor(pool: string) {
    this.cidr = parseCidr(pool);
    this.#taken = new OffsetSet(bitsOf(this.cidr.family) - this.cidr.prefix);
  }

  get leaseCount(): number {
    return this.#leases.size;
  }

  leases(): Iterable<StoredLease> {
    return this.#leases.values();
  }

  lease(offset: bigint): StoredLease | undefined {
    return this.#leases.get(offset);
  }

  hold(offset: bigint, lease: StoredLease): void {
    this.#leases.set(offset, lease);
    this.#taken.add(offset);
  }

  free(offset: bigint): void {
    this.#leases.delete(offset);
    this.#taken.delete(offset);
  }

  /** @returns the offset of an address of the subnet, usable or not; undefined for one of another */
  find(address: Address): bigint | undefined {
    return cidrContains(this.cidr, address) ? address.value - this.cidr.network : undefined;
  }

  /** @throws TsnetError ADDRESS_INVALID if no host may have the address in this subnet */
  offsetOf(address: Address): bigint {
    const offset = this.find(address);
    const { first, last } = usable(this.cidr);
    const text = formatAddress(address.family, address.value);
    if (offset === undefined) {
      throw new TsnetError('ADDRESS_INVALID', `${text} does not lie in the pool ${this.text()}`);
    }
    if (offset < first || offset > last) {
      const which = offset < first ? 'network' : 'broadcast';
      throw new TsnetError('ADDRESS_INVALID', `${text} is the ${which} address of the pool ${this.text()}`);
    }
    return offset;
  }

  /**
   * The first free offset after the cursor, going round once: an address that has just been released is what every
   * neighbour's cache still has another container for, so it is the last to be given again.
   */
  next(range: string | undefined, cursor: bigint): bigint {
    const { first, last } = this.bounds(range);
    const start = cursor >= first && cursor < last ? cursor + 1n : first;
    const free = this.#taken.firstFree(start, last) ?? this.#taken.firstFree(first, start - 1n);
    if (free === undefined) throw this.exhausted(range);
    return free;
  }

  /** The first free offset: where people expect the gateway. */
  first(range: string | undefined): bigint {
    const { first, last } = this.bounds(range);
    const free = this.#taken.firstFree(first, last);
    if (free === undefined) throw this.exhausted(range);
    return free;
  }

  /** @param range CIDR within the subnet */
  bounds(range: string | undefined): Bounds {
    let bounds = this.#bounds.get(range);
    if (bounds === undefined) {
      bounds = choosable(this.cidr, range === undefined ? undefined : parseCidr(range));
      this.#bounds.set(range, bounds);
    }
    return bounds;
  }

  /** Bare address, canonical. */
  addressAt(offset: bigint): string {
    return formatAddress(this.cidr.family, this.cidr.network + offset);
  }

  text(): string {
    return `${this.addressAt(0n)}/${this.cidr.prefix}`;
  }

  /** What is said where there is nothing to give. @param range CIDR within the subnet */
  exhausted(range: string | undefined): TsnetError {
    const where = range === undefined ? `the pool ${this.text()}` : `the range ${range} of ${this.text()}`;
    const count = countOf(this.bounds(range));
    return new TsnetError(
      'ADDRESSES_EXHAUSTED',
      count === 0n
        ? `${where} has no address that a container may have`
        : `${where} has all ${count} addresses taken`,
    );
  }
}
