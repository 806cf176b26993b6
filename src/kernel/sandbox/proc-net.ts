import { formatAddress } from '../../addresses.ts';

/* Readers of files in /proc/net (proc_net(5)); pure. */

/** Names of the links. @param text of `dev` */
export const linkNames = (text: string): string[] =>
  text.split('\n').flatMap(line => /^\s*([^\s|]+):/.exec(line)?.[1] ?? []);

/**
 * CIDRs that IPv4 routes of the main table lead to, without default routes.
 * @param text of `route`: addresses and masks as hexadecimal words in the host's byte order
 */
export function routes4(text: string): string[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap(line => {
      const [, destination, , , , , , mask] = line.split('\t');
      if (destination === undefined || mask === undefined) return [];
      const prefix = ones(littleEndian(mask));
      return prefix === 0 ? [] : [`${formatAddress(4, BigInt(littleEndian(destination)))}/${prefix}`];
    });
}

/** RTF_LOCAL: the host's own addresses; they are in a subnet that has a route of its own. */
const LOCAL = 0x80000000;

/**
 * CIDRs that IPv6 routes lead to, without default routes, those of the loopback and multicast.
 * @param text of `ipv6_route`
 */
export function routes6(text: string): string[] {
  return text.split('\n').flatMap(line => {
    const [address, length, , , , , , , flags, link] = line.trim().split(/\s+/);
    if (address === undefined || length === undefined || flags === undefined || link === 'lo') return [];
    const prefix = Number.parseInt(length, 16);
    const isLocal = (Number.parseInt(flags, 16) & LOCAL) !== 0;
    if (prefix === 0 || isLocal || address.startsWith('ff')) return [];
    return [`${formatAddress(6, BigInt(`0x${address}`))}/${prefix}`];
  });
}

const littleEndian = (hex: string): number => Buffer.from(hex, 'hex').readUInt32LE(0);
const ones = (mask: number): number => mask.toString(2).replaceAll('0', '').length;
