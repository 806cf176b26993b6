import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { TsnetError } from '../errors.ts';
import { decodeEndpoint, decodeNetwork } from './documents.ts';
import { storeFailure } from './failure.ts';
import { sizeOf } from './files.ts';
import { pragma, refuseNewer } from './migrate.ts';
import { decodeLease, decodePool } from './rows.ts';
import { APPLICATION_ID, VERSION } from './schema.ts';

/** Up to this size the whole file is checked at opening: some 100 ms at most, for a million leases. */
const CHECKED_BYTES = 64 * 1024 * 1024;
/** Up to this size also the records, leases among them, which takes the longest. */
const DECODED_BYTES = 8 * 1024 * 1024;

export interface InspectOptions {
  /** Milliseconds that another program may keep the file to itself. */
  readonly timeout?: number;
  /** What is beside it is no log of it. */
  readonly isAlone?: boolean;
}

/**
 * Refuses a file that is not sound, through a connection that cannot write: a connection that can would write the
 * log into the file when it closes, and what is damaged is to stay as it was found.
 * @throws TsnetError STATE_*
 */
export function inspect(path: string, { timeout = 0, isAlone = false }: InspectOptions = {}): void {
  try {
    const { size } = statSync(path);
    if (size === 0) throw new TsnetError('STATE_CORRUPT', `${path} is empty`);
    // A file whose log is empty is complete, and SQLite would want to make a log and its index.
    const isWhole = isAlone || sizeOf(`${path}-wal`) === 0;
    const db = new DatabaseSync(isWhole ? unchanging(path) : path, { readOnly: true, timeout });
    try {
      check(db, path, size);
    } finally {
      db.close();
    }
  } catch (error) {
    throw storeFailure(error, path);
  }
}

/** The file for SQLite, as one that nobody changes: it is read without a lock, a log or a trace (sqlite.org/uri.html). */
export function unchanging(path: string): URL {
  const url = pathToFileURL(path);
  url.searchParams.set('immutable', '1');
  return url;
}

function check(db: DatabaseSync, path: string, size: number): void {
  if (pragma(db, 'application_id') !== APPLICATION_ID) {
    throw new TsnetError('STATE_CORRUPT', `${path} is no state file of tsnet`);
  }
  const version = pragma(db, 'user_version');
  refuseNewer(version);
  if (size > CHECKED_BYTES) return;
  const found = db.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
  if (found !== 'ok')
    throw new TsnetError('STATE_CORRUPT', `${path}: ${String(found).replaceAll('\n', ' ')}`);
  // SQLite has no checksums: what was altered within a record is found by reading it.
  if (version !== VERSION || size > DECODED_BYTES) return;
  for (const { id, document } of rows(db, 'network')) decodeNetwork(String(id), String(document));
  for (const { id, document } of rows(db, 'endpoint')) decodeEndpoint(String(id), String(document));
  for (const row of rows(db, 'pool')) decodePool(row);
  for (const row of rows(db, 'lease')) decodeLease(row);
}

const rows = (db: DatabaseSync, table: 'network' | 'endpoint' | 'pool' | 'lease') =>
  db.prepare(`SELECT * FROM ${table}`).iterate();
