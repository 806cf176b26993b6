import type { Heard } from './heard.ts';
import type { Orphan } from './orphan.ts';

/** An orphan as `tsnet status` tells it. */
export interface ListedOrphan {
  /** `network web`, `address 198.18.0.2 of the pool 198.18.0.0/24`. */
  readonly name: string;
  /** Seconds for which it has been known that the engine does not know it. */
  readonly since: number;
  /** Seconds until it is removed, unless the engine speaks of it before; absent: it is not. */
  readonly removedIn?: number;
  /** Why it is not, in words. */
  readonly kept?: string;
}

interface Suspicion {
  readonly orphan: Orphan;
  /** Time of the first of the looks in a row that have not found it with the engine. */
  readonly since: number;
}

/**
 * The most, in ms, that is waited with what nobody has spoken of in this process and the engine was never seen to list: the call that
 * made it was cut off with the process before, so to the engine it has failed (it repeats a call with an empty body, moby#35459), and its user
 * is about to try again.
 */
const CUT_OFF = 2000;

/** Since when the engine has not known things, without interruption. */
export class Suspicions {
  readonly #heard: Pick<Heard, 'silence'>;
  readonly #graceMs: number;
  #all = new Map<string, Suspicion>();
  /** What the log has: nothing is reported twice, also where the engine was away in between. */
  readonly #told = new Set<string>();

  /** @param graceMs from the first look to the removal; Infinity: never */
  constructor(heard: Pick<Heard, 'silence'>, graceMs: number) {
    this.#heard = heard;
    this.#graceMs = graceMs;
  }

  /**
   * Takes in what one look has found; what it has not found is acquitted.
   * @param now milliseconds of performance.now()
   * @returns what was not reported yet
   */
  observe(found: readonly Orphan[], now: number): Orphan[] {
    const before = this.#all;
    this.#all = new Map(
      found.map(orphan => [orphan.thing, { orphan, since: before.get(orphan.thing)?.since ?? now }]),
    );
    for (const thing of this.#told) if (!this.#all.has(thing)) this.#told.delete(thing);
    const fresh = found.filter(({ thing }) => !this.#told.has(thing));
    for (const { thing } of fresh) this.#told.add(thing);
    return fresh;
  }

  /** The engine could not be asked, or has just started: what it said before counts no more. */
  beginAnew(): void {
    this.#all.clear();
  }

  /** It is gone. */
  removed({ thing }: Orphan): void {
    this.#all.delete(thing);
    this.#told.delete(thing);
  }

  /** What has waited long enough at the time of a look. */
  due(now: number): Orphan[] {
    return [...this.#all.values()]
      .filter(({ orphan, since }) => orphan.kept === undefined && now - since >= this.graceOf(orphan))
      .map(({ orphan }) => orphan);
  }

  /**
   * Milliseconds from a look until something is due that was not yet due at it; Infinity: nothing will be.
   * @param now time of the look: a timer may have fired a moment early for it
   */
  wait(now: number): number {
    const waits = [...this.#all.values()]
      .filter(({ orphan }) => orphan.kept === undefined)
      .map(({ orphan, since }) => since + this.graceOf(orphan) - now);
    return Math.min(Infinity, ...waits.filter(wait => wait > 0));
  }

  graceOf(orphan: Orphan): number {
    if (!Number.isFinite(this.#graceMs) || this.#heard.silence(orphan.thing) !== undefined)
      return this.#graceMs;
    const isCutOff =
      orphan.kind === 'endpoint' || (orphan.kind === 'network' && orphan.network.name === undefined);
    return isCutOff ? Math.min(this.#graceMs, CUT_OFF) : this.#graceMs;
  }

  list(): readonly ListedOrphan[] {
    const now = performance.now();
    return [...this.#all.values()].map(({ orphan, since }) => {
      const rest = since + this.graceOf(orphan) - now;
      const common = { name: orphan.words, since: Math.floor((now - since) / 1000) };
      if (orphan.kept !== undefined) return { ...common, kept: orphan.kept };
      return Number.isFinite(rest) ? { ...common, removedIn: Math.max(0, Math.ceil(rest / 1000)) } : common;
    });
  }
}
