import ipaddr from 'ipaddr.js';
import { TsnetError } from './errors.ts';
import { remembered } from './remembered.ts';

/** Pure helpers over ipaddr.js: one canonical text for each address, and numbers for comparing. */

export type Family = 4 | 6;

export interface Address {
  readonly family: Family;
  readonly value: bigint;
}

export interface Cidr {
  readonly family: Family;
  /** The address as written, host bits included. */
  readonly address: bigint;
  readonly prefix: number;
  /** The address with its host bits cleared. */
  readonly network: bigint;
}

export const bitsOf = (family: Family): number => (family === 4 ? 32 : 128);

/** Dotted quads without leading zeros only: other readers take `010` for octal, and `10.1` for `10.0.0.1`. */
const IPV4 = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/;

/**
 * @param text a bare address
 * @throws TsnetError ADDRESS_INVALID, also for zones and IPv4-mapped IPv6 addresses
 */
export function parseAddress(text: string): Address {
  const quad = IPV4.exec(text)?.slice(1).map(Number);
  if (quad?.every(byte => byte <= 255)) return { family: 4, value: numberOf(quad) };
  if (
    quad === undefined &&
    /^[0-9A-Fa-f:.]+$/.test(text) &&
    text.includes(':') &&
    ipaddr.IPv6.isValid(text)
  ) {
    const parsed = ipaddr.IPv6.parse(text);
    if (!parsed.isIPv4MappedAddress()) return { family: 6, value: numberOf(parsed.toByteArray()) };
  }
  throw new TsnetError('ADDRESS_INVALID', `${JSON.stringify(text)} is no IP address`);
}

/** Canonical text: dotted quad, or RFC 5952. */
export function formatAddress(family: Family, value: bigint): string {
  if (family === 4) {
    // Without BigInts and lists: IPAM writes an address with every lease, half a million a second.
    const word = Number(value);
    return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
  }
  const bytes = Array.from({ length: 16 }, (_, i) => Number((value >> BigInt(8 * (15 - i))) & 0xffn));
  return new ipaddr.IPv6(bytes).toRFC5952String();
}

/**
 * @param text address and prefix length: `10.0.36.254/24`
 * @throws TsnetError ADDRESS_INVALID
 */
export function parseCidr(text: string): Cidr {
  const [address, length, ...more] = text.split('/');
  if (
    address === undefined ||
    length === undefined ||
    more.length > 0 ||
    !/^(0|[1-9]\d{0,2})$/.test(length)
  ) {
    throw new TsnetError('ADDRESS_INVALID', `${JSON.stringify(text)} is no address with prefix length`);
  }
  const { family, value } = parseAddress(address);
  const prefix = Number(length);
  const bits = bitsOf(family);
  if (prefix > bits)
    throw new TsnetError('ADDRESS_INVALID', `${JSON.stringify(text)} has a prefix longer than ${bits}`);
  const hostBits = BigInt(bits - prefix);
  return { family, address: value, prefix, network: (value >> hostBits) << hostBits };
}

/** Text with the address as written, host bits included. */
export const formatCidr = (cidr: Pick<Cidr, 'family' | 'address' | 'prefix'>): string =>
  `${formatAddress(cidr.family, cidr.address)}/${cidr.prefix}`;

/** @param options.network clears the host bits: `10.1.2.3/8` becomes `10.0.0.0/8` */
export function canonicalCidr(text: string, options: { network?: boolean } = {}): string {
  const cidr = parseCidr(text);
  return formatCidr(options.network === true ? { ...cidr, address: cidr.network } : cidr);
}

export function cidrContains(cidr: Cidr, address: Address): boolean {
  const hostBits = BigInt(bitsOf(cidr.family) - cidr.prefix);
  return cidr.family === address.family && address.value >> hostBits === cidr.network >> hostBits;
}

export function cidrOverlaps(a: Cidr, b: Cidr): boolean {
  const [wide, narrow] = a.prefix <= b.prefix ? [a, b] : [b, a];
  return cidrContains(wide, { family: narrow.family, value: narrow.network });
}

/**
 * CIDRs in canonical form with host bits cleared, without doubles and those that lie in another.
 * @param texts CIDRs, or bare addresses for one address each
 * @throws TsnetError ADDRESS_INVALID
 */
export function disjointCidrs(texts: readonly string[]): string[] {
  const cidrs = texts.map(text =>
    parseCidr(text.includes('/') ? text : `${text}/${bitsOf(parseAddress(text).family)}`),
  );
  const networks = new Map(
    cidrs.map(cidr => [formatCidr({ ...cidr, address: cidr.network }), cidr] as const),
  );
  const isInside = (inner: Cidr, outer: Cidr) => outer.prefix < inner.prefix && cidrOverlaps(outer, inner);
  return [...networks].flatMap(([text, inner]) =>
    [...networks.values()].some(outer => isInside(inner, outer)) ? [] : [text],
  );
}

/** `10.1.2.3/8` or `10.1.2.3` to `10.1.2.3`. */
export const bareOf = (text: string): string => text.split('/')[0] ?? text;

/** Texts whose family is remembered: a container with a thousand ports has that of a few asked for some ten thousand times. */
const MOST_KNOWN = 4096;

/**
 * @param text a bare address or a CIDR
 * @throws TsnetError ADDRESS_INVALID
 */
export const familyOf: (text: string) => Family = remembered(
  MOST_KNOWN,
  text => parseAddress(bareOf(text)).family,
);

const numberOf = (bytes: readonly number[]): bigint =>
  bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
