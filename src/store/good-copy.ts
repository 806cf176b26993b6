import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { TsnetError } from '../errors.ts';
import { draftOf, install, sizeOf } from './files.ts';
import { inspect } from './inspect.ts';

/*
 * Beside the state file lies a copy of it, byte for byte, made whenever the write-ahead log has been written into the file. What
 * is written later is in the log alone, which is not begun anew before the next copy is there. So the copy and the log together
 * are the state, at every moment, and the damage of the file costs nothing. A copy of which this is not certain is removed.
 */

/** @param path of the state file */
export const goodCopyOf = (path: string): string => `${path}.good`;

/** Larger copies are not checked, for everything waits meanwhile. */
const CHECKED_BYTES = 8 * 1024 * 1024;
const CHUNK = 1024 * 1024;

/**
 * Whether copy and log together are the state. Not to be asked while a connection has the file open: to close a file gives up
 * whatever locks the process has on it (fcntl(2)).
 */
export function isCopied(path: string): boolean {
  const copy = goodCopyOf(path);
  if (!existsSync(copy)) return false;
  if (sizeOf(`${path}-wal`) > 0) return true;
  // Another program may have written the log into the file, and more.
  return sizeOf(copy) === sizeOf(path) && readFileSync(copy).equals(readFileSync(path));
}

/**
 * Makes the copy anew.
 * @param fd of the state file, into which all of the log has been written
 * @throws TsnetError STATE_CORRUPT if what is there is not sound: the former copy stays; else what the file system says: no copy
 *   is left
 */
export function copyFile(path: string, fd: number): void {
  const copy = goodCopyOf(path);
  const draft = draftOf(copy);
  try {
    write(fd, draft);
    if (sizeOf(draft) <= CHECKED_BYTES) inspect(draft, { isAlone: true });
    install(draft, copy);
  } catch (error) {
    const isDamage = error instanceof TsnetError && error.code === 'STATE_CORRUPT';
    if (!isDamage) rmSync(copy, { force: true });
    rmSync(draft, { force: true });
    throw error;
  }
}

function write(from: number, path: string): void {
  const to = openSync(path, 'w', 0o600);
  try {
    const { size } = fstatSync(from);
    const chunk = Buffer.allocUnsafe(Math.min(size, CHUNK));
    for (let at = 0; at < size; ) {
      const length = readSync(from, chunk, 0, chunk.length, at);
      if (length === 0) break;
      writeSync(to, chunk, 0, length, at);
      at += length;
    }
  } finally {
    closeSync(to);
  }
}
