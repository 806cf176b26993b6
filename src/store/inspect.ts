import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { TsnetError } from '../errors.ts';
import { pragma, refuseNewer } from './migrate.ts';
import { APPLICATION_ID } from './schema.ts';

/** Up to this size the whole file is checked at opening: some 100 ms at most, for a million leases. */
const CHECKED_BYTES = 64 * 1024 * 1024;

/**
 * Refuses a file that is not sound, through a connection that cannot write: a connection that can would write the
 * log into the file when it closes, and what is damaged is to stay as it was found.
 * @throws TsnetError STATE_CORRUPT or STATE_TOO_NEW; SQLite's own errors
 */
export function inspect(path: string, timeout: number): void {
  const { size } = statSync(path);
  if (size === 0) throw new TsnetError('STATE_CORRUPT', `${path} is empty`);
  const db = new DatabaseSync(path, { readOnly: true, timeout });
  try {
    if (pragma(db, 'application_id') !== APPLICATION_ID) {
      throw new TsnetError('STATE_CORRUPT', `${path} is no state file of tsnet`);
    }
    refuseNewer(pragma(db, 'user_version'));
    if (size > CHECKED_BYTES) return;
    const found = db.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
    if (found !== 'ok') throw new TsnetError('STATE_CORRUPT', `${path}: ${found}`);
  } finally {
    db.close();
  }
}
