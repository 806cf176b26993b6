import { readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** What tsnet writes into its state directory: the state file, what SQLite has beside it, copies, damaged ones; and the lock. */
const STATE = /^tsnet\.db(-(wal|shm)|\.(new|good|damaged-\d+)[\w.-]*)?$/;
const LOCK = 'lock.db';

/** Whether there is any state in a directory. */
export const hasState = (directory: string): boolean => filesIn(directory).length > 0;

/** Removes the state and, if nothing else is in it, its directory, which the user may have named. */
export function removeState(directory: string): void {
  for (const file of filesIn(directory)) rmSync(join(directory, file), { force: true });
  try {
    rmdirSync(directory);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    // Missing, not empty, or a mount point.
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST', 'EBUSY'].includes(code)) throw error;
  }
}

/** The copy ahead of what it is of, which would be restored; the lock last: who holds it keeps daemons off. */
function filesIn(directory: string): string[] {
  try {
    const names = readdirSync(directory);
    return [
      ...names
        .filter(name => STATE.test(name))
        .sort()
        .reverse(),
      ...names.filter(name => name === LOCK),
    ];
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}
