import { readFileSync } from 'node:fs';

/** Left for calls, files and the connections of relays, however many ports are published; of a small limit a quarter. */
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
