import ipaddr from 'ipaddr.js';
import { AF_INET, AF_INET6 } from '../netlink/constants.ts';

/** Conversions between the kernel's bytes and the text forms of host-state/types.ts. */
export type Family = typeof AF_INET | typeof AF_INET6;

export interface AddressBytes {
  readonly family: Family;
  readonly bytes: Uint8Array;
}

/** @throws Error of ipaddr.js for what is no address */
export function addressBytes(address: string): AddressBytes {
  const parsed = ipaddr.parse(address);
  return {
    family: parsed.kind() === 'ipv4' ? AF_INET : AF_INET6,
    bytes: Uint8Array.from(parsed.toByteArray()),
  };
}

/** @throws Error of ipaddr.js for what is no CIDR */
export function cidrBytes(cidr: string): AddressBytes & { readonly prefix: number } {
  const [address, prefix] = ipaddr.parseCIDR(cidr);
  return { ...addressBytes(address.toString()), prefix };
}

/** Canonical text (RFC 5952 for IPv6); undefined for another number of bytes than 4 or 16. */
export function addressText(bytes: Uint8Array | undefined): string | undefined {
  if (bytes?.length !== 4 && bytes?.length !== 16) return undefined;
  return ipaddr.fromByteArray([...bytes]).toString();
}

/** @throws RangeError for what is not `aa:bb:cc:dd:ee:ff` */
export function macBytes(mac: string): Uint8Array {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(mac)) throw new RangeError(`no MAC address: ${mac}`);
  return Buffer.from(mac.replaceAll(':', ''), 'hex');
}

/** Lower case with colons; undefined for addresses that are not six bytes long. */
export function macText(bytes: Uint8Array | undefined): string | undefined {
  if (bytes?.length !== 6) return undefined;
  return [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join(':');
}
