import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { COUNTDOWN, PASSED } from '../../src/fail-points.ts';

/** Milliseconds without a point after which tsnet has nothing of the last calls in hand any more; it looks for names after 100 and 300. */
const SETTLED = 350;
/** The same of what it does when nothing has been asked for a second. */
const QUIET = 1200;
/** Milliseconds after which whoever is never quiet is not waited for any longer. */
const NEVER = 20_000;

/** The fail points of the daemon on a host: see src/fail-points.ts. */
export class FailPoints {
  /** What the daemon is to be started with. */
  readonly env: Readonly<Record<string, string>>;
  readonly #countdown: string;
  readonly #passed: string;

  /** @param directory seen at the same path by the daemon and by this process */
  constructor(directory: string) {
    mkdirSync(directory, { recursive: true });
    this.env = { TSNET_FAIL_POINTS: directory };
    this.#countdown = join(directory, COUNTDOWN);
    this.#passed = join(directory, PASSED);
    this.count();
  }

  /** From here on points are counted, and the daemon dies at the `n`th. */
  arm(n: number): void {
    this.#begin(n);
  }

  /** From here on points are counted and passed. */
  count(): void {
    this.#begin(0);
  }

  /** The points since they are counted, in order; the last of them is the one that the daemon has died at, if it has. */
  passed(): string[] {
    const text = existsSync(this.#passed) ? readFileSync(this.#passed, 'utf8') : '';
    return text.split('\n').filter(line => line !== '');
  }

  /** Waits until the calls before have been seen to. */
  async settled(): Promise<void> {
    await this.#silence(SETTLED, () => false);
  }

  /** Waits until the daemon has died at the `n`th point, or comes to none any more. @returns the point that it died at */
  async outcome(n: number): Promise<string | undefined> {
    await this.#silence(QUIET, () => this.passed().length >= n);
    return this.passed()[n - 1];
  }

  /** Waits for so many milliseconds without a point. */
  async #silence(ms: number, isEnough: () => boolean): Promise<void> {
    const size = () => statSync(this.#passed, { throwIfNoEntry: false })?.size ?? 0;
    const deadline = performance.now() + NEVER;
    for (let [last, since] = [size(), performance.now()]; performance.now() < since + ms; ) {
      if (isEnough() || performance.now() > deadline) return;
      await delay(20);
      if (size() !== last) [last, since] = [size(), performance.now()];
    }
  }

  /** In one step, for the daemon may be reading. */
  #begin(countdown: number): void {
    rmSync(this.#passed, { force: true });
    writeFileSync(`${this.#countdown}.new`, String(countdown));
    renameSync(`${this.#countdown}.new`, this.#countdown);
  }
}
