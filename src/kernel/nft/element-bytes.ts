import { bareOf, bitsOf, formatAddress, parseCidr } from '../../addresses.ts';
import type { Field } from '../../firewall/fields.ts';
import type { PortProtocol } from '../../host-state/types.ts';
import { remembered } from '../../remembered.ts';
import { PROTOCOL_NUMBERS } from '../protocol-numbers.ts';
import { addressBytes } from '../rtnetlink/notation.ts';

/**
 * Bytes of a field in a key or value. The parts of a concatenation begin at registers of 4 bytes (net/netfilter/nf_tables_api.c); no set
 * has a field alone that is shorter.
 */
const WIDTH: Readonly<Record<Field, number>> = {
  ifname: 16,
  inet_proto: 4,
  inet_service: 4,
  ipv4_addr: 4,
  ipv6_addr: 16,
  ipv4_net: 4,
  ipv6_net: 16,
};

/** Length of a key or value in bytes. */
export const widthOf = (fields: readonly Field[]): number =>
  fields.reduce((sum, field) => sum + WIDTH[field], 0);

/**
 * Writes a key or value as rules have it in registers, in the byte order of packets.
 * @param target all zeros from `offset` on
 * @param parts as checkField() of fields.ts leaves them
 * @param isEnd of an interval: its last key; otherwise its first
 */
export function putParts(
  target: Buffer,
  offset: number,
  fields: readonly Field[],
  parts: readonly string[],
  isEnd = false,
): void {
  let at = offset;
  for (const [index, field] of fields.entries()) {
    const text = parts[index] ?? '';
    if (field === 'ifname') target.write(text, at, 'latin1');
    else if (field === 'inet_proto') target.writeUInt8(PROTOCOL_NUMBERS[text as PortProtocol], at);
    else if (field === 'inet_service') target.writeUInt16BE(Number(text), at);
    else if (field.endsWith('_addr')) target.set(bytesOf(text), at);
    else target.set(isEnd ? lastOf(text) : bytesOf(bareOf(text)), at);
    at += WIDTH[field];
  }
}

/** Addresses whose bytes are remembered: all ports of a container lead to the same few. */
const MOST_KNOWN = 256;
const bytesOf = remembered(MOST_KNOWN, (text: string) => addressBytes(text).bytes);

/** The last address of a network. */
function lastOf(text: string): Uint8Array {
  const { family, network, prefix } = parseCidr(text);
  const hostBits = BigInt(bitsOf(family) - prefix);
  return addressBytes(formatAddress(family, network | ((1n << hostBits) - 1n))).bytes;
}
