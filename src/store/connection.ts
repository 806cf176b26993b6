import { existsSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { TsnetError } from '../errors.ts';
import { failPoint } from '../fail-points.ts';
import type { Log } from '../log.ts';
import { present } from '../present.ts';
import { ensureDirectory } from './create.ts';
import { isReadOnly, storeFailure } from './failure.ts';
import { damagedFiles, removeDrafts } from './files.ts';
import { goodCopyOf, isCopied } from './good-copy.ts';
import type { StoreHealth } from './health.ts';
import { Keeper } from './keeper.ts';
import { lockDirectory } from './lock.ts';
import { ensureSound, type Restored } from './restore.ts';
import { VERSION } from './schema.ts';
import { Session, type Survival } from './session.ts';

/** How long, in milliseconds, a statement waits for another program that holds the file; everything waits with it. */
const BUSY_TIMEOUT = 250;

interface Open {
  readonly session: Session;
  readonly keeper: Keeper;
}

/** A statement by its text: `sql => statement`. */
export type Prepare = (sql: string) => StatementSync;

/**
 * The state file, opened when first needed. One that fails to open is tried again at the next use, and one that
 * fails in use is closed, so that the next use starts afresh: the daemon outlives what is wrong with the disk. One that turns out to
 * be damaged is replaced by the last good state.
 */
export class Connection {
  readonly #directory: string;
  readonly #path: string;
  readonly #log: Pick<Log, 'warn' | 'error'> | undefined;
  #open: Open | undefined;
  /** The file as it was when first opened: what others have read from it and keep in memory is of that one. */
  #file: Stats | undefined;
  /** What the last use failed with. */
  #problem: TsnetError | undefined;

  /** @param log is told of damage */
  constructor(directory: string, log?: Pick<Log, 'warn' | 'error'>) {
    this.#directory = directory;
    this.#path = join(directory, 'tsnet.db');
    this.#log = log;
  }

  /** @throws TsnetError STATE_* for whatever goes wrong within `action` */
  read<T>(action: (prepare: Prepare) => T): T {
    return this.#guard(({ session }) => action(sql => session.prepare(sql)));
  }

  /**
   * Runs `action` in a transaction that is on the disk when this returns, and undone if this throws. Where the file had to be opened
   * anew, it is run a second time.
   * @param survives what the transaction outlives: the end of the process only, or also that of the host, which takes a wait
   *   for the disk
   * @throws TsnetError STATE_*
   */
  write(action: (prepare: Prepare) => void, survives: Survival = 'power loss'): void {
    this.#guard(({ session, keeper }) => {
      this.#refuseReplaced();
      session.surviving(survives);
      session.db.exec('BEGIN IMMEDIATE');
      action(sql => session.prepare(sql));
      failPoint('commit');
      session.db.exec('COMMIT');
      keeper.written();
    });
    this.#problem = undefined;
  }

  /** Never throws. */
  health(): StoreHealth {
    const problem = this.#problem === undefined ? undefined : this.#stillFails();
    return { damaged: damagedFiles(this.#path), ...present({ problem: problem?.message }) };
  }

  close(): void {
    this.#open?.keeper.finish();
    this.#drop();
  }

  #drop(): void {
    const open = this.#open;
    this.#open = undefined;
    open?.keeper.stop();
    open?.session.close();
  }

  #guard<T>(action: (open: Open) => T): T {
    const wasOpen = this.#open !== undefined;
    try {
      this.#open ??= this.#openFile();
      return action(this.#open);
    } catch (error) {
      const failure = storeFailure(error, this.#path);
      // Opened anew it may be another matter.
      const isCurable = isReadOnly(error) || isDamage(failure);
      this.#recover(failure, error === failure && !isCurable);
      if (wasOpen && isCurable) return this.#guard(action);
      if (failure instanceof TsnetError) this.#problem = failure;
      throw failure;
    }
  }

  /**
   * After a full disk, and after an error that is none of the store's, the connection is sound once rolled back; after anything else
   * only a new one is known to be.
   */
  #recover(failure: unknown, isOthers: boolean): void {
    const db = this.#open?.session.db;
    if (db === undefined) return;
    const isSound = isOthers || (failure instanceof TsnetError && failure.code === 'STATE_FULL');
    try {
      if (db.isTransaction) db.exec('ROLLBACK');
      if (!isSound) this.#drop();
    } catch {
      this.#open = undefined; // What broke it is being told; the handles go with the garbage.
    }
  }

  #openFile(): Open {
    const path = this.#path;
    this.#refuseReplaced();
    ensureDirectory(this.#directory);
    const lock = lockDirectory(this.#directory);
    const { restored, copied } = this.#prepareFile(lock);
    const session = new Session(path, lock, BUSY_TIMEOUT);
    const keeper = new Keeper(path, session, () => this.#restoreNow(), this.#log);
    if (!copied && session.refusal === undefined) keeper.begin();
    if (this.#file === undefined || restored !== undefined) this.#file = statSync(path);
    const refusal = storeFailure(session.refusal, path);
    if (refusal instanceof TsnetError) this.#problem = refusal;
    return { session, keeper };
  }

  /** Before it is opened for good. */
  #prepareFile(lock: DatabaseSync): { restored: Restored | undefined; copied: boolean } {
    try {
      removeDrafts(this.#path);
      const mayBeOlder = this.#file === undefined;
      const restored = ensureSound(this.#path, { timeout: BUSY_TIMEOUT, mayBeOlder });
      if (restored !== undefined) this.#tell(restored);
      return { restored, copied: isCopied(this.#path) };
    } catch (error) {
      lock.close();
      throw error;
    }
  }

  #tell({ damage, kept, isOlder }: Restored): void {
    const state = isOlder ? 'the last good state, which may lack the last changes,' : 'the last good state';
    const file = kept === undefined ? '' : `; the damaged file is kept as ${kept}`;
    this.#log?.error(`${damage.code}: ${damage.what}: ${state} is in use${file}`);
  }

  /** The damage was found while nobody waited for anything. */
  #restoreNow(): void {
    this.#drop();
    try {
      this.read(() => undefined);
    } catch {
      // The next use tells.
    }
  }

  #stillFails(): TsnetError | undefined {
    try {
      // Writes what is there already.
      this.write(prepare => prepare(`PRAGMA user_version = ${VERSION}`).run());
    } catch (error) {
      if (error instanceof TsnetError) return error;
    }
    return undefined;
  }

  /**
   * What is written to a file that has lost its name is lost with the process, however durable; and a file put in its
   * place does not hold what is remembered of the old one.
   */
  #refuseReplaced(): void {
    if (this.#file === undefined) return;
    const now = statSync(this.#path, { throwIfNoEntry: false });
    if (now?.ino === this.#file.ino && now.dev === this.#file.dev) return;
    if (now === undefined && existsSync(goodCopyOf(this.#path))) {
      // It is restored as soon as it is closed.
      if (this.#open === undefined) return;
      throw new TsnetError('STATE_CORRUPT', `${this.#path} is missing`);
    }
    const what = now === undefined ? 'removed' : 'replaced';
    throw new TsnetError('STATE_UNWRITABLE', `${this.#path} was ${what} while tsnet was running`, {
      remedy: 'Restart tsnet, so that it reads what is there now.',
    });
  }
}

const isDamage = (failure: unknown): boolean =>
  failure instanceof TsnetError && failure.code === 'STATE_CORRUPT';
