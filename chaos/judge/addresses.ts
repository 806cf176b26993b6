import ipaddr from 'ipaddr.js';

/** 4 or 6. @param address bare, or CIDR */
export const familyOf = (address: string): 4 | 6 => (address.includes(':') ? 6 : 4);

/** Without prefix length. */
export const bareOf = (cidr: string): string => cidr.split('/')[0] ?? cidr;

/** One text for each address, as RFC 5952 has it. @param address bare */
export const canonical = (address: string): string => ipaddr.parse(address).toString();

/** The prefix length of a CIDR. */
export const lengthOf = (cidr: string): number => ipaddr.parseCIDR(cidr)[1];

/** @param address bare */
export function isWithin(cidr: string, address: string): boolean {
  return familyOf(cidr) === familyOf(address) && ipaddr.parse(address).match(ipaddr.parseCIDR(cidr));
}
