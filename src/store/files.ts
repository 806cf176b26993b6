import {
  closeSync,
  copyFileSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { failPoint } from '../fail-points.ts';

/** Of a missing file 0. */
export const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** Puts a file in place of another, or where none was, durably. */
export function install(draft: string, path: string): void {
  sync(draft);
  failPoint('rename', path);
  renameSync(draft, path);
  sync(dirname(path));
}

/** Makes what was written, or for a directory its names (fsync(2)), durable. */
export function sync(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** What a draft of a file is called, whose place it is to take. */
export const draftOf = (path: string): string => `${path}.new`;

/** Removes what a process that was killed had not finished. @param path of the state file, which nobody has open */
export function removeDrafts(path: string): void {
  const directory = dirname(path);
  const isDraft = (name: string) => name.startsWith(basename(path)) && /\.new(-\w+)?$/.test(name);
  for (const name of namesIn(directory).filter(isDraft)) {
    try {
      rmSync(join(directory, name), { force: true });
    } catch {
      // On a disk that cannot be written it is in nobody's way.
    }
  }
}

/** How many damaged state files are kept: who has not looked at so many will not look at more. */
const KEPT = 5;
const DAMAGED = /\.damaged-(\d+)$/;

/** The damaged state files that were kept, the oldest first; of a directory that cannot be read none. @param path of the state file */
export function damagedFiles(path: string): string[] {
  const prefix = `${basename(path)}.damaged-`;
  return namesIn(dirname(path))
    .filter(name => name.startsWith(prefix) && DAMAGED.test(name))
    .sort((a, b) => numberOf(a) - numberOf(b))
    .map(name => join(dirname(path), name));
}

/**
 * Gives a damaged state file and its write-ahead log a second name, by which they stay when the first is taken away. As SQLite
 * names a log after its file, both can be looked into with `sqlite3` and its `.recover`.
 * @returns the second name; undefined where there is no file
 */
export function keepDamaged(path: string): string | undefined {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
  const before = damagedFiles(path);
  const kept = `${path}.damaged-${numberOf(before.at(-1) ?? '') + 1}`;
  for (const name of before.slice(0, Math.max(0, before.length + 1 - KEPT))) {
    for (const old of [name, `${name}-wal`]) rmSync(old, { force: true });
  }
  linkSync(path, kept);
  if (sizeOf(`${path}-wal`) > 0) copyFileSync(`${path}-wal`, `${kept}-wal`);
  return kept;
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

const numberOf = (name: string): number => Number(DAMAGED.exec(name)?.[1] ?? 0);
