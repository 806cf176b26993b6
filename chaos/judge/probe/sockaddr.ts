import ipaddr from 'ipaddr.js';
import { AF_INET, AF_INET6 } from './libc.ts';

/** The family of an address, as socket(2) has it. @param address bare */
export const domainOf = (address: string): number => (address.includes(':') ? AF_INET6 : AF_INET);

/** struct sockaddr_in or sockaddr_in6. @param address bare */
export function sockaddr(address: string, port = 0): Buffer {
  const bytes = ipaddr.parse(address).toByteArray();
  const six = bytes.length === 16;
  const text = Buffer.alloc(six ? 28 : 16);
  text.writeUInt16LE(six ? AF_INET6 : AF_INET, 0);
  text.writeUInt16BE(port, 2);
  Buffer.from(bytes).copy(text, six ? 8 : 4);
  return text;
}
