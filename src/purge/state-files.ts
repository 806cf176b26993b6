import { existsSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** All that tsnet writes into its state directory, the lock last. */
const FILES = ['tsnet.db-wal', 'tsnet.db-shm', 'tsnet.db.new-journal', 'tsnet.db.new', 'tsnet.db', 'lock.db'];

/** Whether there is any state in a directory. */
export const hasState = (directory: string): boolean => FILES.some(file => existsSync(join(directory, file)));

/** Removes the state and, if nothing else is in it, its directory, which the user may have named. */
export function removeState(directory: string): void {
  for (const file of FILES) rmSync(join(directory, file), { force: true });
  try {
    rmdirSync(directory);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    // Missing, not empty, or a mount point.
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST', 'EBUSY'].includes(code)) throw error;
  }
}
