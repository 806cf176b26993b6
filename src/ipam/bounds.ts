import { bitsOf, type Cidr } from '../addresses.ts';

/** First and last offset from a pool's network address, both included. */
export interface Bounds {
  readonly first: bigint;
  readonly last: bigint;
}

const sizeOf = (cidr: Cidr): bigint => 1n << BigInt(bitsOf(cidr.family) - cidr.prefix);

/**
 * The addresses of a pool that a host may have: not the network address (in IPv6 the subnet-router anycast address,
 * RFC 4291 section 2.6.1) and not IPv4's broadcast address; all of them in pools without room for either
 * (RFC 3021 for /31, RFC 6164 for /127, single addresses).
 */
export function usable(pool: Cidr): Bounds {
  const last = sizeOf(pool) - 1n;
  if (last <= 1n) return { first: 0n, last };
  return { first: 1n, last: pool.family === 4 ? last - 1n : last };
}

/** What automatic choice is limited to: the range, as far as its addresses are usable in the pool. */
export function choosable(pool: Cidr, range: Cidr | undefined): Bounds {
  const all = usable(pool);
  if (range === undefined) return all;
  const start = range.network - pool.network;
  const end = start + sizeOf(range) - 1n;
  const first = start < all.first ? all.first : start;
  const last = end < all.last ? end : all.last;
  return { first, last };
}

/** Of offsets both included; a range that is the broadcast address alone has none. */
export const countOf = ({ first, last }: Bounds): bigint => (first > last ? 0n : last - first + 1n);
