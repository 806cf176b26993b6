import { rmSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { TsnetError } from '../errors.ts';
import type { Log } from '../log.ts';
import { storeFailure } from './failure.ts';
import { sizeOf } from './files.ts';
import { copyFile, goodCopyOf } from './good-copy.ts';
import type { Session } from './session.ts';

/** Milliseconds without a write after which the log is written into the file and the file is copied, which holds up the event loop. */
const QUIET = 1000;
/** Milliseconds after which that is tried again. */
const RETRY = 30_000;
/** Bytes of the log from which on it is not waited for quiet. */
const LONG_LOG = 16 * 1024 * 1024;
/** Writes between looks at the length of the log; one is no longer than some ten KiB. */
const LOOK_EVERY = 64;

/** Keeps the copy of the state file: apart from every call, as soon as it is quiet. */
export class Keeper {
  readonly #path: string;
  readonly #log: Pick<Log, 'warn'> | undefined;
  readonly #session: Session;
  readonly #onDamage: () => void;
  /** Writes since the file was copied. */
  #writes = 0;
  #quiet: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #warned = false;

  /**
   * @param path of the state file
   * @param onDamage is called when the file turns out to be damaged: copy and log are the state then, as long as nothing is written
   */
  constructor(path: string, session: Session, onDamage: () => void, log?: Pick<Log, 'warn'>) {
    this.#path = path;
    this.#session = session;
    this.#onDamage = onDamage;
    this.#log = log;
  }

  /** A transaction was committed. */
  written(): void {
    this.#writes += 1;
    if (this.#writes % LOOK_EVERY === 0 && sizeOf(`${this.#path}-wal`) > LONG_LOG) this.#settle();
    // On the way of every attachment: to begin a timer anew costs a tenth of making one.
    if (this.#quiet === undefined) this.#quiet = setTimeout(() => this.#settle(), QUIET).unref();
    else this.#quiet.refresh();
  }

  /** There is no copy, or none of this file. */
  begin(): void {
    this.#writes += 1;
    rmSync(goodCopyOf(this.#path), { force: true });
    this.#settle();
  }

  /** Copies what is not copied yet, and leaves an empty log behind. Ahead of the session's own end. */
  finish(): void {
    if (this.#writes > 0 && this.#settle()) this.#session.db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    this.stop();
  }

  stop(): void {
    clearTimeout(this.#quiet);
    clearTimeout(this.#retry);
  }

  /** Never throws: the log goes on growing then, and that is all. @returns whether it is done */
  #settle(): boolean {
    if (this.#writes === 0) return true;
    clearTimeout(this.#retry);
    try {
      this.#needRoom();
      const done = this.#session.db.prepare('PRAGMA wal_checkpoint(PASSIVE)').get();
      // Else somebody reads what was before.
      if (done?.['busy'] === 0 && done['log'] === done['checkpointed']) {
        copyFile(this.#path, this.#session.fd);
        this.#writes = 0;
        this.#warned = false;
        return true;
      }
    } catch (error) {
      const failure = storeFailure(error, this.#path);
      if (failure instanceof TsnetError && failure.code === 'STATE_CORRUPT') {
        this.stop();
        this.#onDamage();
        return false;
      }
      if (!this.#warned) this.#log?.warn(`the state cannot be copied: ${String(failure)}`);
      this.#warned = true;
    }
    this.#retry = setTimeout(() => this.#settle(), RETRY).unref();
    return false;
  }

  /** The copy that there is, with the log, is worth more than a file without either. */
  #needRoom(): void {
    const directory = dirname(this.#path);
    const { bavail, bsize } = statfsSync(directory);
    if (bavail * bsize < sizeOf(this.#path) + sizeOf(`${this.#path}-wal`))
      throw new TsnetError('STATE_FULL', `${directory} has no room for a copy of the state`);
  }
}
