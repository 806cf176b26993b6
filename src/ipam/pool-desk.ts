import { canonicalCidr, cidrContains, cidrOverlaps, parseCidr } from '../addresses.ts';
import { TsnetError } from '../errors.ts';
import type { PoolRequest } from '../protocol/types.ts';
import type { StoredPool } from '../store/types.ts';
import type { Book } from './book.ts';
import { choosable } from './bounds.ts';
import { formatPoolId, type PoolName } from './pool-id.ts';
import { choosePool, PREDEFINED_4, predefined6 } from './predefined-pools.ts';

/**
 * A pool as it is before its first address: the search begins at the first address it may choose.
 * @throws TsnetError ADDRESS_INVALID if the range does not lie in the pool
 */
export function newPool(name: PoolName, epoch: number): StoredPool {
  const pool = parseCidr(name.pool);
  const range = name.subPool === undefined ? undefined : parseCidr(name.subPool);
  if (range !== undefined) {
    const isWithin =
      range.prefix >= pool.prefix && cidrContains(pool, { family: range.family, value: range.network });
    if (!isWithin)
      throw new TsnetError(
        'ADDRESS_INVALID',
        `the range ${name.subPool} does not lie in the pool ${name.pool}`,
      );
  }
  const cursor = choosable(pool, range).first - 1n;
  return { ...name, id: formatPoolId(name), cursor: String(cursor), epoch };
}

/**
 * Gives the pool that is asked for, which may be one that is held: networks may share a subnet, and the engine asks
 * again for every pool it has after each of its starts.
 * @throws TsnetError ADDRESS_INVALID, OPTION_UNKNOWN, POOL_OVERLAP, POOLS_EXHAUSTED
 */
export function takePool(book: Book, request: PoolRequest): StoredPool {
  const name = request.pool === undefined ? chooseName(book, request) : nameOf(request, request.pool);
  const pool = newPool(name, book.epoch);
  const held = book.pool(pool.id);
  // Not for one that is held: the engine repeats the options of a network that is there.
  if (held === undefined) {
    refuseOptions(request.options);
    refuseOverlap(book, pool);
  }
  const taken = held === undefined ? pool : { ...held, epoch: book.epoch };
  if (held?.epoch !== taken.epoch) book.putPool(taken);
  return taken;
}

/** There are none but those that a swarm's manager adds. */
function refuseOptions(options: Readonly<Record<string, string>>): void {
  const unknown = Object.keys(options).find(name => !name.startsWith('com.docker.'));
  if (unknown === undefined) return;
  throw new TsnetError('OPTION_UNKNOWN', `IPAM option ${JSON.stringify(unknown)} is not known`, {
    remedy: 'Leave it out: the IPAM driver tsnet has no options.',
  });
}

/**
 * Takes back a pool, whoever of several networks that share it says so. The engine releases the addresses of a network
 * before its pool, so leases that are left belong to another network on the same subnet: the last pool that names the
 * subnet stays until they are gone.
 */
export function returnPool(book: Book, id: string): 'released' | 'kept' | 'unknown' {
  const pool = book.pool(id);
  if (pool === undefined) return 'unknown';
  const isLast = !book.pools().some(p => p.id !== id && p.space === pool.space && p.pool === pool.pool);
  if (isLast && book.subnet(pool.space, pool.pool).leaseCount > 0) return 'kept';
  book.deletePool(pool);
  return 'released';
}

function nameOf({ addressSpace, subPool }: PoolRequest, pool: string): PoolName {
  const network = (text: string) => canonicalCidr(text, { network: true });
  return {
    space: addressSpace,
    pool: network(pool),
    ...(subPool === undefined ? {} : { subPool: network(subPool) }),
  };
}

function chooseName(book: Book, { addressSpace, subPool, v6 }: PoolRequest): PoolName {
  if (subPool !== undefined) {
    throw new TsnetError('ADDRESS_INVALID', `the range ${subPool} is given without a subnet`);
  }
  const family = v6 ? 6 : 4;
  const predefined = v6 ? predefined6(book.uniqueLocalPrefix()) : PREDEFINED_4;
  const inUse = book.inUse().map(subnet => subnet.cidr);
  const { index, pool } = choosePool(predefined, book.lastChosen(addressSpace, family), inUse);
  // A pool that has just been released is the last to be chosen again, like an address.
  book.putLastChosen(addressSpace, family, index);
  return { space: addressSpace, pool };
}

function refuseOverlap(book: Book, wanted: StoredPool): void {
  const cidr = parseCidr(wanted.pool);
  const other = book
    .pools()
    .find(p => p.space === wanted.space && p.pool !== wanted.pool && cidrOverlaps(cidr, parseCidr(p.pool)));
  if (other === undefined) return;
  const { leaseCount } = book.subnet(other.space, other.pool);
  throw new TsnetError(
    'POOL_OVERLAP',
    `${wanted.pool} overlaps the pool ${other.pool}, which has ${leaseCount} addresses taken`,
  );
}
