import { type Cidr, cidrOverlaps, formatCidr, parseCidr } from '../addresses.ts';
import { TsnetError } from '../errors.ts';

/** Pools to choose from when the user names none: consecutive blocks of `prefix` in each of `within`. */
export interface Predefined {
  readonly within: readonly string[];
  readonly prefix: number;
}

/**
 * IPv4: 172.16.0.0/12 is where Docker's users look for container networks, and the engine's own IPAM takes it
 * from 172.17 upwards in blocks of 65,536. These are the upper half, in blocks of 4,096, beginning with the quarter that
 * the engine comes to after eleven networks of its own.
 */
export const PREDEFINED_4: Predefined = { within: ['172.28.0.0/14', '172.24.0.0/14'], prefix: 20 };

/**
 * IPv6: the subnets of the host's own unique local prefix.
 * @param ula CIDR of 48 bits (RFC 4193 section 3)
 */
export const predefined6 = (ula: string): Predefined => ({ within: [ula], prefix: 64 });

/** A prefix for this host, of 40 random bits (RFC 4193 section 3.2.1). */
export function uniqueLocalPrefix(randomBytes: (size: number) => Uint8Array): string {
  const globalId = randomBytes(5).reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
  const address = ((0xfdn << 40n) | globalId) << 80n;
  return formatCidr({ family: 6, address, prefix: 48 });
}

/**
 * The first predefined pool after the one given last that overlaps none in use, going round once. The engine may reject
 * a pool and ask again while it holds the rejected one: it must get another, or it asks for ever.
 * @param last index of the pool given last; -1 for none
 * @throws TsnetError POOLS_EXHAUSTED
 */
export function choosePool(
  predefined: Predefined,
  last: number,
  inUse: readonly Cidr[],
): { readonly index: number; readonly pool: string } {
  const blocks = predefined.within.map(text => {
    const cidr = parseCidr(text);
    return { cidr, count: 2 ** (predefined.prefix - cidr.prefix) };
  });
  const total = blocks.reduce((sum, { count }) => sum + count, 0);
  for (let step = 1; step <= total; step++) {
    const index = (last + step) % total;
    const candidate = blockAt(blocks, index, predefined.prefix);
    if (!inUse.some(cidr => cidrOverlaps(cidr, candidate))) return { index, pool: formatCidr(candidate) };
  }
  const { within, prefix } = predefined;
  throw new TsnetError(
    'POOLS_EXHAUSTED',
    `all ${total} pools of ${within.join(' and ')} in blocks of /${prefix} overlap pools in use`,
  );
}

function blockAt(
  blocks: readonly { readonly cidr: Cidr; readonly count: number }[],
  index: number,
  prefix: number,
): Cidr {
  let rest = index;
  for (const { cidr, count } of blocks) {
    if (rest < count) {
      const size = BigInt((cidr.family === 4 ? 32 : 128) - prefix);
      const network = cidr.network + (BigInt(rest) << size);
      return { family: cidr.family, address: network, prefix, network };
    }
    rest -= count;
  }
  throw new RangeError(`no block ${index}`);
}
