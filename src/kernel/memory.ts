import { readFile } from 'node:fs/promises';
import koffi from './koffi.ts';

const MADV_DONTNEED = 4;
const libc = koffi.load(null);
const madvise = libc.func('int madvise(uint64_t address, size_t length, int advice)');
const mallocTrim = optional<[pad: number]>('int malloc_trim(size_t pad)');
const mallopt = optional<[parameter: number, value: number]>('int mallopt(int parameter, int value)');
/** <malloc.h> of glibc. */
const M_ARENA_MAX = -8;

/** A part of the address space: first byte and number of bytes. */
export interface Mapping {
  readonly start: bigint;
  readonly length: bigint;
}

/**
 * Gives memory back that the start, or a burst of calls, has left behind: free memory of the C library, which it would
 * keep for ever, and pages of the executable and libraries that are mapped though nothing has used them since. The kernel's
 * page cache keeps those, so that one that is needed again costs a microsecond. About 35 MB after a start.
 */
export async function giveBackMemory(): Promise<void> {
  mallocTrim?.(0);
  for (const { start, length } of cleanFileMappings(await readFile('/proc/self/smaps', 'utf8'))) {
    madvise(start, length, MADV_DONTNEED);
  }
}

/**
 * Mappings of files, not writable, of which this process has changed nothing (in what it has changed the file's content
 * would come back: the dynamic linker's tables).
 * @param smaps text of /proc/PID/smaps (proc_pid_smaps(5))
 */
export function cleanFileMappings(smaps: string): Mapping[] {
  const found: Mapping[] = [];
  let candidate: Mapping | undefined;
  for (const line of smaps.split('\n')) {
    const head = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \d+ *(.*)$/.exec(line);
    if (head !== null) {
      const [, from = '', to = '', mode, path = ''] = head;
      const start = BigInt(`0x${from}`);
      const isCode = mode === 'r-xp' || mode === 'r--p';
      candidate = isCode && path.startsWith('/') ? { start, length: BigInt(`0x${to}`) - start } : undefined;
    } else if (candidate !== undefined && /^Anonymous: +0 kB$/.test(line)) {
      found.push(candidate);
    }
  }
  return found;
}

/**
 * Has all threads share two of glibc's arenas. It would give those of libuv's pool eight for each processor, and each keeps what the
 * largest call on it has needed: libnftables builds a cache of the table with each command.
 * To be called before there are threads.
 */
export const shareArenas = (): void => {
  mallopt?.(M_ARENA_MAX, 2);
};

/** A function that not every C library has. */
function optional<A extends unknown[]>(prototype: string): ((...parameters: A) => number) | undefined {
  try {
    return libc.func(prototype);
  } catch {
    return undefined;
  }
}
