import { closeSync } from 'node:fs';
import { bind, socket } from '../libc.ts';
import * as nl from '../netlink/constants.ts';
import { hasCode, NetlinkError } from '../netlink/netlink-error.ts';
import type { Port } from './hold-book.ts';
import { type HostAddress, hostAddress } from './host-address.ts';
import * as sockets from './sockets.ts';

export interface BindOptions {
  /** Also to an address that the host does not have. */
  readonly freebind?: boolean;
  /**
   * With SO_REUSEADDR during the call: past what is left of connections that have ended (TIME_WAIT), and in UDP past
   * sockets that have it as well.
   */
  readonly reuse?: boolean;
}

export interface BoundSocket {
  readonly fd: number;
  readonly port: number;
}

/**
 * Binds a new socket to a port of the host and leaves it at that: to a connection that reaches it the kernel answers
 * with a RST, as if nothing were there. Without SO_REUSEADDR, with which others could be bound to the port as well.
 * @param port.port 0: the kernel chooses one
 * @returns the socket, and its port; or what the kernel has no sockets of
 * @throws NetlinkError with the error of the kernel
 */
export function bindPort(port: Port, options: BindOptions = {}): BoundSocket | 'no-family' | 'no-protocol' {
  const address = hostAddress(port.address);
  const fd = openSocket(port, address);
  if (typeof fd === 'string') return fd;
  const check = (result: number, operation: string) => NetlinkError.check(result, operation);
  try {
    if (address.family === 6) check(sockets.setOnlyV6(fd), 'setsockopt IPV6_V6ONLY');
    if (options.freebind) check(sockets.setFreebind(fd, address.family), 'setsockopt IP_FREEBIND');
    // Nobody reads what is not redirected: it must not take memory.
    if (port.protocol === 'udp') check(sockets.setReceiveBuffer(fd, 0), 'setsockopt SO_RCVBUF');
    if (options.reuse) check(sockets.setReuseAddress(fd, true), 'setsockopt SO_REUSEADDR');
    sockets.setPort(address.socketAddress, port.port);
    check(bind(fd, address.socketAddress), 'bind');
    // Others that have it set can then be bound, but not listen.
    if (options.reuse) check(sockets.setReuseAddress(fd, false), 'setsockopt SO_REUSEADDR');
    return { fd, port: port.port === 0 ? check(sockets.boundPort(fd), 'getsockname') : port.port };
  } catch (error) {
    closeSync(fd);
    // No interface has IPv6 switched on.
    if (hasCode(error, 'EADDRNOTAVAIL') && address.text === '::') return 'no-family';
    throw error;
  }
}

function openSocket({ protocol }: Port, { family }: HostAddress): number | 'no-family' | 'no-protocol' {
  const domain = family === 4 ? nl.AF_INET : nl.AF_INET6;
  const type = protocol === 'udp' ? sockets.SOCK_DGRAM : sockets.SOCK_STREAM;
  const fd = socket(domain, type | nl.SOCK_CLOEXEC, protocol === 'sctp' ? sockets.IPPROTO_SCTP : 0);
  if (fd === -sockets.EAFNOSUPPORT) return 'no-family';
  if (protocol === 'sctp' && (fd === -sockets.EPROTONOSUPPORT || fd === -sockets.ESOCKTNOSUPPORT)) {
    return 'no-protocol';
  }
  return NetlinkError.check(fd, 'socket');
}
