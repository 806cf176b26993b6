import { accessSync, closeSync, constants, openSync, statSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { sizeOf } from './files.ts';
import { unchanging } from './inspect.ts';
import { migrate, pragma } from './migrate.ts';

/** What a transaction outlives. */
export type Survival = 'process end' | 'power loss';

/** A log that has become longer is cut to this when it is begun anew: 1 MiB. */
const KEPT_LOG = 1024 * 1024;

/** The state file while it is open, by whoever holds the lock on its directory. */
export class Session {
  readonly db: DatabaseSync;
  /** Of the file, open for reading it as it is: to close it gives up the locks of the connections (fcntl(2)). */
  readonly fd: number;
  /** Why it can only be read; undefined: it can be written. */
  readonly refusal: unknown;
  readonly #opened: DisposableStack;
  readonly #statements = new Map<string, StatementSync>();
  #survives: Survival = 'power loss';

  /**
   * @param lock is closed last
   * @param timeout milliseconds that another program may keep the file to itself
   * @throws SQLite's own errors, those of the file system, TsnetError STATE_TOO_NEW
   */
  constructor(path: string, lock: DatabaseSync, timeout: number) {
    using opened = new DisposableStack();
    const open = (location: string | URL, options: { readOnly?: boolean }) =>
      opened.adopt(new DatabaseSync(location, { ...options, timeout }), one => one.close());
    opened.adopt(lock, one => one.close());
    this.fd = opened.adopt(openSync(path, 'r'), closeSync);
    this.refusal = refusalOf(path);
    // Where SQLite could not make a log: what is there can be read as a file that nobody changes.
    const location = this.refusal !== undefined && sizeOf(`${path}-wal`) === 0 ? unchanging(path) : path;
    // The last connection to close writes the log into the file and deletes it, unless it may only read. But what becomes of the
    // log is the keeper's to decide, so the last one is this.
    const anchor = open(location, { readOnly: true });
    this.db = open(location, {});
    this.db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0');
    this.db.exec(`PRAGMA journal_size_limit = ${KEPT_LOG}`);
    migrate(this.db);
    // Opened by its first use.
    pragma(anchor, 'user_version');
    this.#opened = opened.move();
  }

  /** A statement by its text. */
  prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /** Says what the transactions from here on outlive; the longer needs a wait for the disk. */
  surviving(survival: Survival): void {
    if (this.#survives === survival) return;
    // In WAL mode a commit waits for the disk at FULL and not at NORMAL (sqlite.org/pragma.html#pragma_synchronous).
    this.db.exec(`PRAGMA synchronous = ${survival === 'power loss' ? 'FULL' : 'NORMAL'}`);
    this.#survives = survival;
  }

  close(): void {
    this.#opened.dispose();
  }
}

/** SQLite opens a file that it may not write for reading, without a word. */
function refusalOf(path: string): unknown {
  statSync(path);
  try {
    accessSync(path, constants.W_OK);
    return undefined;
  } catch (error) {
    return error;
  }
}
