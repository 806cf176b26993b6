import { hash } from 'node:crypto';
import { bareOf, parseAddress } from '../addresses.ts';

const text = (bytes: readonly number[]): string => bytes.map(b => b.toString(16).padStart(2, '0')).join(':');

/**
 * The MAC of an endpoint whose user gave none. It follows from the address, for an address that comes back with
 * another MAC is unreachable until every neighbour's cache has expired. 02:42 and the four bytes of an IPv4 address,
 * as engines up to 27 made them and people know them; a hash where there is only IPv6.
 * @param address CIDR or bare
 */
export function macOfAddress(address: string): string {
  const { family, value } = parseAddress(bareOf(address));
  if (family === 6) return stableMac('address', value.toString(16));
  const bytes = [24n, 16n, 8n, 0n].map(shift => Number((value >> shift) & 0xffn));
  return text([0x02, 0x42, ...bytes]);
}

/** A locally administered unicast MAC that is always the same for the same words. */
export function stableMac(...words: readonly string[]): string {
  const digest = hash('sha256', words.join('\0'), 'buffer');
  return text([((digest[0] ?? 0) & 0xfc) | 0x02, ...digest.subarray(1, 6)]);
}

/**
 * The MAC of a bridge port's host end. A bridge whose own MAC nobody set takes the lowest of its ports
 * (br_stp_recalculate_bridge_id), and what its neighbours have cached is then dropped as somebody else's. No port
 * with this first byte is ever the lowest.
 */
export function portMac(...words: readonly string[]): string {
  return `fe${stableMac('port', ...words).slice(2)}`;
}
