import { type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { TsnetError } from '../errors.ts';
import { ensureDirectory, ensureFile } from './create.ts';
import { storeFailure } from './failure.ts';
import { inspect } from './inspect.ts';
import { lockDirectory } from './lock.ts';
import { migrate } from './migrate.ts';

/** How long, in milliseconds, a statement waits for another program that holds the file; everything waits with it. */
const BUSY_TIMEOUT = 250;

/** What a transaction outlives. */
export type Survival = 'process end' | 'power loss';

interface Open {
  readonly db: DatabaseSync;
  survives: Survival;
  readonly lock: DatabaseSync;
  readonly statements: Map<string, StatementSync>;
}

/** A statement by its text: `sql => statement`. */
export type Prepare = (sql: string) => StatementSync;

/**
 * The state file, opened when first needed. One that fails to open is tried again at the next use, and one that
 * fails in use is closed, so that the next use starts afresh: the daemon outlives what is wrong with the disk.
 */
export class Connection {
  readonly #directory: string;
  readonly #path: string;
  #open: Open | undefined;
  /** The file as it was when first opened: what others have read from it and keep in memory is of that one. */
  #file: Stats | undefined;

  constructor(directory: string) {
    this.#directory = directory;
    this.#path = join(directory, 'tsnet.db');
  }

  /** @throws TsnetError STATE_* for whatever goes wrong within `action` */
  read<T>(action: (prepare: Prepare) => T): T {
    return this.#guard(({ prepare }) => action(prepare));
  }

  /**
   * Runs `action` in a transaction that is on the disk when this returns, and undone if this throws.
   * @param survives what the transaction outlives: the end of the process only, or also that of the host, which takes a wait
   *   for the disk
   * @throws TsnetError STATE_*
   */
  write(action: (prepare: Prepare) => void, survives: Survival = 'power loss'): void {
    this.#guard(({ prepare, open }) => {
      this.#refuseReplaced();
      if (open.survives !== survives) {
        // In WAL mode a commit waits for the disk at FULL and not at NORMAL (sqlite.org/pragma.html#pragma_synchronous).
        open.db.exec(`PRAGMA synchronous = ${survives === 'power loss' ? 'FULL' : 'NORMAL'}`);
        open.survives = survives;
      }
      open.db.exec('BEGIN IMMEDIATE');
      action(prepare);
      open.db.exec('COMMIT');
    });
  }

  close(): void {
    const open = this.#open;
    this.#open = undefined;
    try {
      open?.db.close();
    } finally {
      open?.lock.close();
    }
  }

  #guard<T>(action: (use: { prepare: Prepare; open: Open }) => T): T {
    try {
      this.#open ??= this.#openFile();
      const open = this.#open;
      return action({ open, prepare: sql => prepared(open, sql) });
    } catch (error) {
      this.#recover(error);
      throw storeFailure(error, this.#path);
    }
  }

  /**
   * After a full disk, and after an error of our own, the connection is sound once rolled back; after anything else
   * only a new one is known to be.
   */
  #recover(error: unknown): void {
    const db = this.#open?.db;
    if (db === undefined) return;
    const failure = storeFailure(error, this.#path);
    const isSound = failure === error || (failure instanceof TsnetError && failure.code === 'STATE_FULL');
    try {
      if (db.isTransaction) db.exec('ROLLBACK');
      if (!isSound) this.close();
    } catch {
      this.#open = undefined; // What broke it is being told; the handles go with the garbage.
    }
  }

  #openFile(): Open {
    const path = this.#path;
    this.#refuseReplaced();
    ensureDirectory(this.#directory);
    const lock = lockDirectory(this.#directory);
    let db: DatabaseSync | undefined;
    try {
      ensureFile(path);
      inspect(path, BUSY_TIMEOUT);
      db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT });
      db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
      migrate(db);
      // SQLite opens a file that it may not write for reading, without a word; taking the write lock tells.
      db.exec('BEGIN IMMEDIATE; ROLLBACK');
      this.#file ??= statSync(path);
      return { db, lock, statements: new Map(), survives: 'power loss' };
    } catch (error) {
      db?.close();
      lock.close();
      throw error;
    }
  }

  /**
   * What is written to a file that has lost its name is lost with the process, however durable; and a file put in its
   * place does not hold what is remembered of the old one.
   */
  #refuseReplaced(): void {
    if (this.#file === undefined) return;
    const now = statSync(this.#path, { throwIfNoEntry: false });
    if (now?.ino === this.#file.ino && now.dev === this.#file.dev) return;
    const what = now === undefined ? 'removed' : 'replaced';
    throw new TsnetError('STATE_UNWRITABLE', `${this.#path} was ${what} while tsnet was running`, {
      remedy: 'Restart tsnet, so that it reads what is there now.',
    });
  }
}

function prepared(open: Open, sql: string): StatementSync {
  let statement = open.statements.get(sql);
  if (statement === undefined) {
    statement = open.db.prepare(sql);
    open.statements.set(sql, statement);
  }
  return statement;
}
