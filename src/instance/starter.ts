import type { Log } from '../log.ts';

/** Waits between attempts in ms, the last one for ever. */
const PAUSES = [500, 1000, 2000, 5000];

/** Opens something that may not be to be had yet: when asked for it, and now and then by itself, until it succeeds. */
export class Starter<T> {
  readonly #open: () => Promise<T>;
  readonly #log: Log;
  #value: T | undefined;
  #attempt: Promise<T> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #failure: unknown;
  /** The failure that the log has been told last. */
  #told = '';
  #closed = false;

  constructor(open: () => Promise<T>, log: Log) {
    this.#open = open;
    this.#log = log;
  }

  /** What was opened; undefined as long as that has not succeeded. */
  get value(): T | undefined {
    return this.#value;
  }

  /** What the last attempt has failed with. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Those who ask at the same time share an attempt. @throws what the attempt fails with */
  get(): Promise<T> {
    if (this.#value !== undefined) return Promise.resolve(this.#value);
    this.#attempt ??= this.#try().finally(() => {
      this.#attempt = undefined;
    });
    return this.#attempt;
  }

  /** Tries now. Never rejects: the log and whoever asks are told. */
  async retry(): Promise<void> {
    if (this.#closed) return;
    await this.get().catch(() => undefined);
  }

  /** Ends the attempts. @returns what was opened, or is just being opened */
  async close(): Promise<T | undefined> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#attempt?.catch(() => undefined);
    return this.#value;
  }

  async #try(): Promise<T> {
    clearTimeout(this.#timer);
    try {
      this.#value = await this.#open();
      if (this.#failures > 0) this.#log.info('started after all', { attempts: this.#failures + 1 });
      return this.#value;
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      this.#log.log(words === this.#told ? 'debug' : 'error', `not started: ${words}`);
      this.#told = words;
      this.#failure = error;
      const pause = PAUSES[Math.min(this.#failures, PAUSES.length - 1)];
      this.#failures += 1;
      if (!this.#closed) this.#timer = setTimeout(() => void this.retry(), pause).unref();
      throw error;
    }
  }
}
