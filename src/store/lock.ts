import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { TsnetError } from '../errors.ts';

const SQLITE_BUSY = 5;

/**
 * Keeps a second daemon out of a state directory: an exclusive transaction on an empty SQLite file of its own. The
 * kernel drops it with the process, however that ends, and whoever wants to read the state file is not in its way.
 * @param directory must exist
 * @returns what holds the lock, to be closed
 * @throws TsnetError STATE_IN_USE
 */
export function lockDirectory(directory: string): DatabaseSync {
  const path = join(directory, 'lock.db');
  // Only if it is missing: closing a file gives up whatever locks the process has on it (fcntl(2)).
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600));
  const lock = new DatabaseSync(path, { timeout: 0 });
  try {
    // In memory: a journal of nothing would only be one more file.
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) {
      throw new TsnetError('STATE_IN_USE', `${directory} is in use`, { cause: error });
    }
    throw error;
  }
}
