import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { TsnetError } from '../errors.ts';
import { migrate } from './migrate.ts';
import { APPLICATION_ID } from './schema.ts';

/** Makes the state directory, for its owner only, if it is missing. */
export function ensureDirectory(directory: string): void {
  if (mkdirSync(directory, { recursive: true, mode: 0o700 }) !== undefined) syncDirectory(dirname(directory));
}

/**
 * Makes the state file if there is none. It appears complete or not at all, so an empty file is never one that was
 * being made: it is a damaged one. The caller holds the lock on the directory.
 * @throws TsnetError STATE_CORRUPT if the file is missing and its write-ahead log is there: the log would be
 *   written over the new file
 */
export function ensureFile(path: string): void {
  if (existsSync(path)) return;
  if (sizeOf(`${path}-wal`) > 0) {
    throw new TsnetError('STATE_CORRUPT', `${path} is missing, but its ${path}-wal is there`, {
      remedy: `Put ${path} back, or move ${path}-wal and ${path}-shm away as well.`,
    });
  }
  const draft = `${path}.new`;
  for (const leftover of [draft, `${draft}-journal`]) rmSync(leftover, { force: true });
  try {
    closeSync(openSync(draft, 'wx', 0o600));
    const db = new DatabaseSync(draft);
    try {
      db.exec(`PRAGMA synchronous = FULL; PRAGMA application_id = ${APPLICATION_ID}`);
      migrate(db);
    } finally {
      db.close();
    }
    renameSync(draft, path);
  } catch (error) {
    for (const leftover of [draft, `${draft}-journal`]) rmSync(leftover, { force: true });
    throw error;
  }
  syncDirectory(dirname(path));
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** A new name is durable only once its directory is (fsync(2)). */
function syncDirectory(directory: string): void {
  const fd = openSync(directory, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
