import { copyFileSync, existsSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { TsnetError } from '../errors.ts';
import { ensureFile } from './create.ts';
import { storeFailure } from './failure.ts';
import { draftOf, install, keepDamaged } from './files.ts';
import { goodCopyOf } from './good-copy.ts';
import { inspect } from './inspect.ts';

/** What became of a state file that was damaged. */
export interface Restored {
  readonly damage: TsnetError;
  /** Path of the damaged file; undefined where it was missing. */
  readonly kept: string | undefined;
  /** Whether the last changes may be missing: the write-ahead log was damaged as well. */
  readonly isOlder: boolean;
}

export interface SoundOptions {
  /** Milliseconds that another program may keep the file to itself. */
  readonly timeout: number;
  /** Whether a state may be taken that lacks the last changes: not by those who remember them. */
  readonly mayBeOlder: boolean;
}

/**
 * Sees to it that there is a state file and that it is sound: makes one where there is nothing, and puts the last good state in
 * place of a damaged or missing one, which is kept. Nobody has the file open, and the caller holds the lock on the directory.
 * @returns undefined when it was sound
 * @throws TsnetError STATE_CORRUPT when there is no good copy either: all is left as it is
 */
export function ensureSound(path: string, { timeout, mayBeOlder }: SoundOptions): Restored | undefined {
  try {
    if (!existsSync(path) && existsSync(goodCopyOf(path)))
      throw new TsnetError('STATE_CORRUPT', `${path} is missing`);
    ensureFile(path);
    inspect(path, { timeout });
    return undefined;
  } catch (error) {
    if (!(error instanceof TsnetError) || error.code !== 'STATE_CORRUPT') throw error;
    return restore(path, error, mayBeOlder);
  }
}

function restore(path: string, damage: TsnetError, mayBeOlder: boolean): Restored {
  const copy = goodCopyOf(path);
  if (!existsSync(copy)) throw damage;
  const draft = draftOf(path);
  const log = `${path}-wal`;
  try {
    const isWhole = existsSync(log) && rebuild(draft, copy, log);
    if (!isWhole && !mayBeOlder) {
      const remedy = 'Restart tsnet: it goes on with the last good state that there is.';
      throw new TsnetError('STATE_CORRUPT', damage.what, { cause: damage, remedy });
    }
    if (!isWhole && !rebuild(draft, copy)) {
      const what = `${damage.what}, and its copy ${copy} is damaged, too`;
      const remedy = `Restore ${path} from a backup, or move it and all of ${path}* away and recreate the networks; tsnet has left all as it is.`;
      throw new TsnetError('STATE_CORRUPT', what, { cause: damage, remedy });
    }
    const kept = keepDamaged(path);
    // A log that is still there after a crash in between is written into a file that has it already, which changes nothing,
    // but not into one that it does not belong to.
    if (!isWhole) remove(log, `${path}-shm`);
    install(draft, path);
    remove(log, `${path}-shm`);
    return { damage, kept, isOlder: !isWhole };
  } finally {
    remove(draft, `${draft}-wal`, `${draft}-shm`);
  }
}

/**
 * Makes a file of the copy and, where one is given, of the log.
 * @returns whether it is sound
 */
function rebuild(draft: string, copy: string, log?: string): boolean {
  remove(draft, `${draft}-wal`, `${draft}-shm`);
  copyFileSync(copy, draft);
  if (log !== undefined) copyFileSync(log, `${draft}-wal`);
  try {
    // Closing writes the log into the file.
    const db = new DatabaseSync(draft);
    try {
      db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } finally {
      db.close();
    }
    inspect(draft, { isAlone: true });
    return true;
  } catch (error) {
    if (isDamage(error)) return false;
    throw error;
  }
}

function isDamage(error: unknown): boolean {
  const failure = storeFailure(error, '');
  return failure instanceof TsnetError && failure.code === 'STATE_CORRUPT';
}

const remove = (...paths: readonly string[]): void => {
  for (const path of paths) rmSync(path, { force: true });
};
