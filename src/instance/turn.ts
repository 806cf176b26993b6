import { setTimeout as delay } from 'node:timers/promises';
import { TsnetError } from '../errors.ts';
import type { Log } from '../log.ts';
import { type Holder, meetHolder } from './holder.ts';
import { describeIdentity, type Identity, isSamePlugin } from './identity.ts';
import { type Place, takePlace } from './place.ts';

/**
 * Milliseconds that the place is left to one who had it and has ended: its service manager may just be restarting it,
 * and its containers go on running meanwhile.
 */
export const GRACE = 3000;

/** For a holder that is not to be met although it has the place; in ms. */
const [MOST_ATTEMPTS, BETWEEN_ATTEMPTS] = [10, 20];

/** Another tsnet that had the place, and has ended: what it has left on the host is not this one's. */
interface Former {
  readonly identity: Identity | undefined;
  /** Milliseconds of performance.now(). */
  readonly ended: number;
}

/** Has the one place for a tsnet in a network namespace, or waits until it is free. */
export class Turn {
  readonly #own: Identity;
  readonly #log: Log;
  readonly #onFree: () => void;
  #place: Place | undefined;
  #holder: Holder | undefined;
  #former: Former | undefined;
  #timer: NodeJS.Timeout | undefined;
  #taking: Promise<void> | undefined;
  #closed = false;

  /** @param onFree told when another one that had the place has ended and the time of grace is over */
  constructor(own: Identity, log: Log, onFree: () => void = () => undefined) {
    this.#own = own;
    this.#log = log;
    this.#onFree = onFree;
  }

  /**
   * Takes the place. From an earlier process of the same plugin it is waited for: the engine may start the next one before
   * that has ended.
   * @param mayFollow asked before the place of another one is taken; what it throws is thrown
   * @throws TsnetError INSTANCE_RUNNING while another tsnet has it, or has just ended
   */
  take(mayFollow: (former: Identity | undefined) => Promise<void> = async () => undefined): Promise<void> {
    // Two at a time would find each other.
    this.#taking ??= this.#take(mayFollow).finally(() => {
      this.#taking = undefined;
    });
    return this.#taking;
  }

  async #take(mayFollow: (former: Identity | undefined) => Promise<void>): Promise<void> {
    while (this.#place === undefined) {
      if (this.#closed) throw new TsnetError('INSTANCE_RUNNING', 'this tsnet is stopping');
      const { holder } = this.#refuseWhileHeld();
      if (holder !== undefined) await holder.gone;
      else if (this.#former === undefined) await this.#takeOrMeet();
      else {
        // It may be back.
        await this.#meet();
        if (this.#holder !== undefined || this.#place !== undefined) continue;
        await mayFollow(this.#former.identity);
        await this.#takeOrMeet();
      }
    }
  }

  /** Waits for the place no longer. */
  stopWaiting(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#holder?.forget();
  }

  /** Gives the place up. */
  close(): void {
    this.stopWaiting();
    this.#place?.release();
  }

  async #takeOrMeet(): Promise<void> {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
      this.#place = await takePlace(this.#own);
      if (this.#place === undefined) await this.#meet();
      if (this.#place !== undefined || this.#holder !== undefined) return;
      // Who had it is just ending.
      await delay(BETWEEN_ATTEMPTS);
    }
    this.#former = { identity: undefined, ended: performance.now() };
  }

  /** @returns the holder, if it is an earlier process of the same plugin */
  #refuseWhileHeld(): { readonly holder?: Holder } {
    const holder = this.#holder;
    if (holder !== undefined) {
      if (isSamePlugin(holder.identity, this.#own)) return { holder };
      throw new TsnetError('INSTANCE_RUNNING', `${describeIdentity(holder.identity)} serves this host`);
    }
    const former = this.#former;
    if (former !== undefined && performance.now() < former.ended + GRACE) {
      const does = former.identity === undefined ? 'serves this host, or has' : 'has';
      const what = `${describeIdentity(former.identity)} ${does} only just ended`;
      throw new TsnetError('INSTANCE_RUNNING', what, {
        remedy: `Repeat the command in ${GRACE / 1000} s, if it is not to be started again.`,
      });
    }
    return {};
  }

  async #meet(): Promise<void> {
    const holder = await meetHolder();
    if (holder === 'nobody') return;
    if (holder === 'stranger') {
      this.#log.warn(
        'a user without rights has bound the name by which a second tsnet would be seen: not looked for',
      );
      this.#place = { release: () => undefined };
      return;
    }
    this.#holder = holder;
    void holder.gone.then(() => this.#freed(holder));
  }

  #freed(holder: Holder): void {
    this.#holder = undefined;
    if (isSamePlugin(holder.identity, this.#own)) return;
    this.#former = { identity: holder.identity, ended: performance.now() };
    // A timer may fire a little early.
    if (!this.#closed) this.#timer = setTimeout(this.#onFree, GRACE + 10).unref();
  }
}
