import { setTimeout as delay } from 'node:timers/promises';
import type { TsnetDaemon } from '../campaign/tsnet-daemon.ts';

/** Milliseconds between two looks at whether it runs. */
const PAUSE = 5;

/** Starts tsnet whenever it has ended, at once: as systemd's Restart=always without a pause. */
export class Supervisor {
  /** Milliseconds of the longest way from an end to a restored host. */
  longest = 0;
  readonly #daemon: TsnetDaemon;
  readonly #env: Readonly<Record<string, string>>;
  #isWanted = false;
  #isStarting = false;
  #watching: Promise<void> = Promise.resolve();

  constructor(daemon: TsnetDaemon, env: Readonly<Record<string, string>>) {
    this.#daemon = daemon;
    this.#env = env;
  }

  /** Has it run from now on. @returns as soon as it has restored the host */
  async begin(): Promise<void> {
    this.#isWanted = true;
    this.#watching = this.#watch();
    await this.up();
  }

  /** Leaves it as it is from here on. */
  async end(): Promise<void> {
    this.#isWanted = false;
    await this.#watching;
  }

  /** Does something while tsnet is dead, and has it started again. @returns as soon as it has restored the host */
  async whileDead(action: () => Promise<void>): Promise<void> {
    await this.end();
    await this.#daemon.kill();
    await action().finally(() => this.begin());
  }

  /** Waits until it runs and has restored the host. */
  async up(): Promise<void> {
    while (this.#daemon.pid() === undefined || this.#isStarting) await delay(PAUSE);
  }

  async #watch(): Promise<void> {
    while (this.#isWanted) {
      if (this.#daemon.pid() === undefined) await this.#start();
      else await delay(PAUSE);
    }
  }

  async #start(): Promise<void> {
    const began = performance.now();
    this.#isStarting = true;
    try {
      await this.#daemon.start(this.#env);
      this.longest = Math.max(this.longest, performance.now() - began);
    } catch (error) {
      // It may well die as it starts. It is started again, and again.
      if (this.#daemon.pid() !== undefined) throw error;
    } finally {
      this.#isStarting = false;
    }
  }
}
