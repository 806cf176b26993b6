import { closeSync, openSync, readFileSync } from 'node:fs';

/** Left for calls and files, however many ports are published and whoever connects to them; of a small limit a quarter. */
const SPARE = 256;

let limit: number | undefined;

/** How many descriptors the process may have (RLIMIT_NOFILE). Node has raised it as far as it may by itself. */
export function mostDescriptors(): number {
  limit ??= Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 1024);
  return limit;
}

/** Whether a descriptor is one of those that are left for other things: the kernel gives the lowest that is free. */
export const isSpare = (fd: number): boolean =>
  fd >= mostDescriptors() - Math.min(SPARE, Math.floor(mostDescriptors() / 4));

/** Whether only those are left, for sockets whose number node does not tell: opens a file to see, which takes some microseconds. */
export function onlySpareLeft(): boolean {
  try {
    const fd = openSync('/dev/null', 'r');
    closeSync(fd);
    return isSpare(fd);
  } catch {
    return true;
  }
}
