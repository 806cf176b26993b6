import { closeSync, readdirSync, readlinkSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';
import { TsnetError } from '../../errors.ts';
import { getsockname, socket } from '../libc.ts';
import { AF_NETLINK, NETLINK_NETFILTER, SOCK_CLOEXEC, SOCK_RAW } from '../netlink/constants.ts';

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

/** Open sockets of this process: `socket:[INODE]` to descriptor. */
function openSockets(): Map<string, number> {
  const sockets = new Map<string, number>();
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      const file = readlinkSync(`/proc/self/fd/${fd}`);
      if (file.startsWith('socket:')) sockets.set(file, Number(fd));
    } catch {
      // Closed meanwhile, as the directory's own descriptor is.
    }
  }
  return sockets;
}

/** Runs `open` and answers, beside its result, the descriptors of the sockets that exist since. */
export function watchingSockets<T>(open: () => T): { result: T; sockets: readonly number[] } {
  const before = openSockets();
  const result = open();
  const sockets = [...openSockets()].flatMap(([file, fd]) => (before.has(file) ? [] : [fd]));
  return { result, sockets };
}

/**
 * libnftables ends the process when it cannot open its socket (netlink_open_error()), so that is tried first.
 * @throws TsnetError FIREWALL when the kernel has no NETLINK_NETFILTER or lets no socket be opened
 */
export function requireNetfilter(): void {
  const fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
  if (fd < 0) {
    throw new TsnetError('FIREWALL', `no netfilter netlink socket can be opened: ${getSystemErrorName(fd)}`);
  }
  closeSync(fd);
}
