import type { DatabaseSync } from 'node:sqlite';
import { TsnetError } from '../errors.ts';
import { failPoint } from '../fail-points.ts';
import { MIGRATIONS, VERSION } from './schema.ts';

/** A value of a PRAGMA that is a number. */
export const pragma = (db: DatabaseSync, name: 'user_version' | 'application_id'): number =>
  Number(db.prepare(`PRAGMA ${name}`).get()?.[name]);

/**
 * Brings a file to the newest schema, in one transaction.
 * @throws TsnetError STATE_TOO_NEW
 */
export function migrate(db: DatabaseSync): void {
  const version = pragma(db, 'user_version');
  refuseNewer(version);
  if (version === VERSION) return;
  db.exec('BEGIN IMMEDIATE');
  try {
    for (const step of MIGRATIONS.slice(version)) db.exec(step);
    db.exec(`PRAGMA user_version = ${VERSION}`);
    failPoint('commit', `schema ${VERSION}`);
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/** @throws TsnetError STATE_TOO_NEW */
export function refuseNewer(version: number): void {
  if (version > VERSION) {
    throw new TsnetError(
      'STATE_TOO_NEW',
      `the state file has version ${version}, this tsnet knows ${VERSION}`,
    );
  }
}
