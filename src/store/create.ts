import { closeSync, existsSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { TsnetError } from '../errors.ts';
import { draftOf, install, sizeOf, sync } from './files.ts';
import { migrate } from './migrate.ts';
import { APPLICATION_ID } from './schema.ts';

/** Makes the state directory, for its owner only, if it is missing. */
export function ensureDirectory(directory: string): void {
  if (mkdirSync(directory, { recursive: true, mode: 0o700 }) !== undefined) sync(dirname(directory));
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
  const draft = draftOf(path);
  try {
    closeSync(openSync(draft, 'wx', 0o600));
    const db = new DatabaseSync(draft);
    try {
      db.exec(`PRAGMA synchronous = FULL; PRAGMA application_id = ${APPLICATION_ID}`);
      migrate(db);
    } finally {
      db.close();
    }
    install(draft, path);
  } catch (error) {
    for (const leftover of [draft, `${draft}-journal`]) rmSync(leftover, { force: true });
    throw error;
  }
}
