import { type ErrorCode, TsnetError } from '../errors.ts';

/** Primary result codes of SQLite (sqlite.org/rescode.html) that mean something to whoever runs tsnet. */
const SQLITE_CODES: Readonly<Record<number, ErrorCode>> = {
  3: 'STATE_UNWRITABLE', // PERM
  5: 'STATE_UNWRITABLE', // BUSY: another program holds the file, the lock on the directory is ours
  6: 'STATE_UNWRITABLE', // LOCKED
  8: 'STATE_UNWRITABLE', // READONLY
  10: 'STATE_UNWRITABLE', // IOERR
  11: 'STATE_CORRUPT', // CORRUPT
  13: 'STATE_FULL', // FULL
  14: 'STATE_UNWRITABLE', // CANTOPEN
  19: 'STATE_CORRUPT', // CONSTRAINT: no write of tsnet breaks one of a sound file
  20: 'STATE_CORRUPT', // MISMATCH
  26: 'STATE_CORRUPT', // NOTADB
};

/** Extended codes that say more than their primary one: SQLite could not allot room for the index of the WAL. */
const IOERR_SHMSIZE = 10 | (19 << 8);

const SYSTEM_CODES: Readonly<Record<string, ErrorCode>> = { ENOSPC: 'STATE_FULL', EDQUOT: 'STATE_FULL' };

const READONLY = 8;

/** SQLite's words for a file whose schema lacks a table or column, which has no code of its own. */
const LACKING = /^no such (table|column)|has no column named/;

/**
 * What a failure of SQLite or the file system means.
 * @param error whatever was thrown
 * @param path file or directory that the user knows it by
 * @returns the error to throw; one that is no failure of the store comes back as it is
 */
export function storeFailure(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || error instanceof TsnetError) return error;
  const code = codeOf(error);
  return code === undefined ? error : new TsnetError(code, `${path}: ${error.message}`, { cause: error });
}

/** Whether SQLite has opened for reading what it could not write then; opened anew it may be another matter. */
export const isReadOnly = (error: unknown): boolean =>
  error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === READONLY;

function codeOf(error: Error): ErrorCode | undefined {
  const { code, errcode } = error as Error & { code?: unknown; errcode?: unknown };
  if (code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number') {
    if (errcode === IOERR_SHMSIZE) return 'STATE_FULL';
    if (LACKING.test(error.message)) return 'STATE_CORRUPT';
    return SQLITE_CODES[errcode & 0xff];
  }
  // A number in a column that JavaScript cannot hold: no write of tsnet puts one there.
  if (code === 'ERR_OUT_OF_RANGE') return 'STATE_CORRUPT';
  const isSystem = typeof code === 'string' && 'syscall' in error;
  return isSystem ? (SYSTEM_CODES[code] ?? 'STATE_UNWRITABLE') : undefined;
}
