import { getsockname } from '../libc.ts';
import { AF_NETLINK } from './constants.ts';

/**
 * Netlink port id that a socket is bound to, which is what the kernel puts in nlmsg_pid of everything that the
 * socket's user did (netlink(7)).
 * @returns undefined while the socket is unbound, or where the descriptor is none of AF_NETLINK
 */
export function portOf(fd: number): number | undefined {
  const address = Buffer.alloc(12);
  if (getsockname(fd, address) < 0) return undefined;
  return address.readUInt16LE(0) === AF_NETLINK ? address.readUInt32LE(4) || undefined : undefined;
}
