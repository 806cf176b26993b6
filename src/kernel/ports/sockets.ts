import { constants } from 'node:os';
import koffi from '../koffi.ts';
import { getsockname, setsockopt } from '../libc.ts';
import * as nl from '../netlink/constants.ts';
import { int32 } from '../netlink/open-socket.ts';

/** Calls and numbers of IP sockets, beyond what ../libc.ts has. Each call answers what the C function does, or `-errno`. */

const libc = koffi.load(null);
const bindings = {
  listen: libc.func('int listen(int fd, int backlog)'),
};

export const { EADDRINUSE, EAFNOSUPPORT, EMFILE, EPROTONOSUPPORT } = constants.errno;
/** Not among the numbers that node knows; the same on all architectures that it runs on. */
export const ESOCKTNOSUPPORT = 94;

export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const IPPROTO_SCTP = 132;

const SO_REUSEADDR = 2;
const IPPROTO_IP = 0;
const IP_FREEBIND = 15;
export const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const IPV6_FREEBIND = 78;

const ON = int32(1);
const OFF = int32(0);

const SOCKADDR_IN = 16;
export const SOCKADDR_IN6 = 28;

/**
 * struct sockaddr_in or sockaddr_in6.
 * @param port 0: the kernel chooses
 */
export function socketAddress(family: 4 | 6, address: bigint, port: number): Buffer {
  const v4 = family === 4;
  const buffer = Buffer.alloc(v4 ? SOCKADDR_IN : SOCKADDR_IN6);
  buffer.writeUInt16LE(v4 ? nl.AF_INET : nl.AF_INET6, 0);
  buffer.writeUInt16BE(port, 2);
  const bytes = v4 ? 4 : 16;
  for (let i = 0; i < bytes; i++) {
    buffer[(v4 ? 4 : 8) + i] = Number((address >> BigInt(8 * (bytes - 1 - i))) & 0xffn);
  }
  return buffer;
}

/** Gives a struct sockaddr_in or sockaddr_in6 another port. */
export const setPort = (socketAddress: Buffer, port: number): number => socketAddress.writeUInt16BE(port, 2);

/** The port that an IP socket is bound to. */
export function boundPort(fd: number): number {
  const address = Buffer.alloc(SOCKADDR_IN6);
  const result = getsockname(fd, address);
  return result < 0 ? result : address.readUInt16BE(2);
}

export function listen(fd: number, backlog: number): number {
  const result: number = bindings.listen(fd, backlog);
  return result < 0 ? -koffi.errno() : result;
}

export const setReuseAddress = (fd: number, on: boolean): number =>
  setsockopt(fd, nl.SOL_SOCKET, SO_REUSEADDR, on ? ON : OFF);

/** @param bytes as SO_RCVBUF counts them: the kernel doubles it, and has a minimum and `net.core.rmem_max` */
export const setReceiveBuffer = (fd: number, bytes: number): number =>
  setsockopt(fd, nl.SOL_SOCKET, nl.SO_RCVBUF, int32(bytes));

/** An IPv6 socket that leaves the IPv4 port of the same number to others. */
export const setOnlyV6 = (fd: number): number => setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, ON);

/** Lets a socket be bound to an address that the host does not have, or not yet (ip(7)). */
export const setFreebind = (fd: number, family: 4 | 6): number =>
  family === 4
    ? setsockopt(fd, IPPROTO_IP, IP_FREEBIND, ON)
    : setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, ON);
