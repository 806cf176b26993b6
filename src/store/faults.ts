import { TsnetError } from '../errors.ts';

/** Primary result codes of SQLite (https://sqlite.org/rescode.html); the extended ones keep them in the low byte. */
const SQLITE = {
  PERM: 3,
  BUSY: 5,
  LOCKED: 6,
  READONLY: 8,
  IOERR: 10,
  CORRUPT: 11,
  FULL: 13,
  CANTOPEN: 14,
  NOTADB: 26,
};
const READ_ONLY = new Set(['EROFS', 'EACCES', 'EPERM', 'ENOTDIR', 'EEXIST', 'EISDIR']);
const FULL = new Set(['ENOSPC', 'EDQUOT']);

/** Turns what SQLite or the file system threw into an error of the table. @param path of what was being used */
export function storeFault(error: unknown, path: string): unknown {
  if (error instanceof TsnetError || !(error instanceof Error)) return error;
  const { code, errcode } = error as { code?: string; errcode?: number };
  const fault = (kind: ConstructorParameters<typeof TsnetError>[0], what: string) =>
    new TsnetError(kind, `${path} ${what} (${error.message})`, { cause: error });
  if (code !== undefined && READ_ONLY.has(code)) return fault('STATE_UNWRITABLE', 'cannot be written');
  if (code !== undefined && FULL.has(code)) return fault('STATE_FULL', 'has no room to grow');
  if (errcode === undefined) return error;
  switch (errcode & 0xff) {
    case SQLITE.FULL:
      return fault('STATE_FULL', 'has no room to grow');
    case SQLITE.CORRUPT:
    case SQLITE.NOTADB:
      return fault('STATE_CORRUPT', 'is damaged');
    case SQLITE.BUSY:
    case SQLITE.LOCKED:
      return fault('STATE_IN_USE', 'is held by another process');
    case SQLITE.PERM:
    case SQLITE.READONLY:
    case SQLITE.CANTOPEN:
    case SQLITE.IOERR:
      return fault('STATE_UNWRITABLE', 'cannot be written');
    default:
      return error;
  }
}
