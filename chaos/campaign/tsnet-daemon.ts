import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Child } from '../../test/lab/child.ts';
import type { Host } from '../../test/lab/host.ts';
import { waitFor } from '../../test/lab/wait.ts';
import type { Daemon } from '../world/types.ts';

/** Milliseconds that a daemon has for restoring a host, however busy that is. */
const RESTORE = 30_000;

/** Seconds for which what the engine has forgotten is kept: a campaign does not wait as long as a user should. */
const ORPHAN_GRACE = '1';

/** tsnet on a campaign's host. */
export class TsnetDaemon implements Daemon {
  readonly stateDir = '/var/lib/tsnet';
  readonly socket = '/run/docker/plugins/tsnet.sock';
  /** Milliseconds of the longest start, to the host's being restored. */
  longestStart = 0;
  readonly #host: Host;
  readonly #program: string;
  readonly #file: string;
  /** See src/fail-points.ts. */
  readonly #failPoints: string;
  #child: Child | undefined;

  /** @param program path of the executable, as the host sees it */
  constructor(host: Host, program: string) {
    this.#host = host;
    this.#program = program;
    this.#file = join(host.dir, 'tsnet.log');
    this.#failPoints = join(host.dir, 'fail-points');
  }

  readonly pid = (): number | undefined => (this.#child?.running === true ? this.#child.pid : undefined);

  readonly log = (): string => (existsSync(this.#file) ? readFileSync(this.#file, 'utf8') : '');

  /** Where the log ends at present, for `since`. */
  mark(): number {
    return existsSync(this.#file) ? statSync(this.#file).size : 0;
  }

  /** What was logged from a mark on. */
  since(mark: number): string {
    const length = this.mark() - mark;
    if (length <= 0) return '';
    const bytes = Buffer.alloc(length);
    const file = openSync(this.#file, 'r');
    try {
      return bytes.toString('utf8', 0, readSync(file, bytes, 0, length, mark));
    } finally {
      closeSync(file);
    }
  }

  /** As a crash, or an administrator who has lost his patience, ends it. */
  readonly kill = async (): Promise<void> => {
    await this.#child?.stop('SIGKILL');
    this.#child = undefined;
  };

  /** Has it end itself, as by kill -9, at so many lasting steps from now on. @param steps undefined: not any more */
  async dieAfter(steps: number | undefined): Promise<void> {
    await rm(this.#failPoints, { recursive: true, force: true });
    if (steps === undefined) return;
    await mkdir(this.#failPoints);
    await writeFile(join(this.#failPoints, 'countdown'), String(steps));
  }

  /** Waits for its end, for so many milliseconds at most. */
  async died(patience: number): Promise<void> {
    const over = this.#child?.exited;
    const alarm = new AbortController();
    const late = delay(patience, undefined, { signal: alarm.signal }).catch(() => undefined);
    await Promise.race([over, late]);
    alarm.abort();
  }

  /** As the service manager ends it. */
  async stop(): Promise<void> {
    await this.#child?.stop('SIGTERM');
    this.#child = undefined;
  }

  /** Starts it, unless it runs, and waits until it has restored the host. */
  readonly start = async (env: Readonly<Record<string, string>> = {}): Promise<void> => {
    if (this.pid() !== undefined) return;
    const [began, mark] = [performance.now(), this.mark()];
    const child = await this.#host.spawn(this.#program, ['serve', '--log-level', 'debug'], {
      log: this.#file,
      env: { TSNET_ORPHAN_GRACE: ORPHAN_GRACE, TSNET_FAIL_POINTS: this.#failPoints, ...env },
    });
    this.#child = child;
    await waitFor(() => !child.running || this.since(mark).includes('reason=start'), {
      timeout: RESTORE,
      what: () => `tsnet to restore the host:\n${this.since(mark)}`,
    });
    if (!child.running) throw new Error(`tsnet ended as it started:\n${this.since(mark)}`);
    this.longestStart = Math.max(this.longestStart, performance.now() - began);
  };
}
