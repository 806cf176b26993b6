import { readdirSync, readlinkSync } from 'node:fs';

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
