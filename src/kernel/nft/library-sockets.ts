import { closeSync, readdirSync, readlinkSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';
import { TsnetError } from '../../errors.ts';
import { socket } from '../libc.ts';
import { AF_NETLINK, NETLINK_NETFILTER, SOCK_CLOEXEC, SOCK_RAW } from '../netlink/constants.ts';

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
