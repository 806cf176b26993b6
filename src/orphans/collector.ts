import type { State } from '../driver/state.ts';
import type { EngineListing } from '../engine/listing.ts';
import type { OwnEngine } from '../engine/own-engine.ts';
import type { Log } from '../log.ts';
import { comparison } from './comparison.ts';
import type { Heard } from './heard.ts';
import { Looks, type Next } from './looks.ts';
import { type Own, whyKept } from './missing.ts';
import type { Orphan } from './orphan.ts';
import { Suspicions } from './suspicions.ts';
import { unfinished } from './unfinished.ts';

export interface CollectorParts {
  readonly state: Pick<State, 'networks' | 'endpointsOf'>;
  /** Pools and addresses that tsnet's IPAM has given out to networks of this engine. */
  readonly held: () => Pick<Own, 'pools' | 'leases'>;
  readonly heard: Heard;
  /** Absent: there is no engine to ask, and only what is half removed is seen to. */
  readonly listing: EngineListing | undefined;
  readonly ownEngine: OwnEngine;
  /** Whether there is a network namespace at the path of a sandbox. */
  readonly isThere: (sandbox: string) => boolean;
  /** Removes one as the engine's own call does. Begins before it returns. */
  readonly remove: (orphan: Orphan) => Promise<void>;
  /** Milliseconds from report to removal; Infinity: nothing is removed. */
  readonly graceMs: number;
  readonly log: Log;
}

/** Milliseconds after the end of a call within which the engine may not list yet, or speak again of, what it was about. */
const IN_FLIGHT = 5000;
/** The same for the removal of what it has asked to be removed. */
const REPEATED = 1000;
/** Milliseconds between looks. */
const PAUSE = { least: 5000, most: 60_000 };
/** An address goes after the endpoint that has it, a pool after its addresses. */
const ORDER: readonly Orphan['kind'][] = ['endpoint', 'network', 'address', 'pool'];

/**
 * Collects what the engine has forgotten without a word: it died in the middle of something, or its call found nobody. It is asked what
 * it has, apart from any call. What it does not have in an unbroken row of looks for as long as the grace, and has not spoken of, is reported
 * at the first of them and removed at the last, in the way that it would be at the engine's own request.
 *
 * An engine that is down, boots or answers late could not be asked: that breaks the row. Nor does one count that has not proved to be the one
 * whose driver this is.
 */
export class Collector {
  readonly #parts: CollectorParts;
  readonly #suspicions: Suspicions;
  readonly #looks: Looks;
  #collected = 0;

  constructor(parts: CollectorParts) {
    this.#parts = parts;
    this.#suspicions = new Suspicions(parts.heard, parts.graceMs);
    this.#looks = new Looks(() => this.#look(), Math.min(Math.max(parts.graceMs, PAUSE.least), PAUSE.most));
  }

  /** How many have been removed since the start. */
  get collected(): number {
    return this.#collected;
  }

  get suspicions(): Pick<Suspicions, 'list'> {
    return this.#suspicions;
  }

  /** At the start, when a removal has failed, or when a container is gone. */
  refresh(): void {
    this.#looks.soon();
  }

  /** The engine has asked for something: there may be something to be found from now on. */
  stir(): void {
    this.#looks.stir();
  }

  /** An engine has started, or says so once more: it is given its time anew. */
  engineStarted(): void {
    this.#suspicions.beginAnew();
    this.#looks.soon();
  }

  close(): void {
    this.#looks.close();
  }

  async #look(): Promise<Next> {
    const { listing, log } = this.#parts;
    try {
      const unfinished = await this.#finish();
      const next = listing === undefined ? 'on request' : await this.#compare(listing);
      return unfinished === undefined
        ? next
        : Math.min(unfinished, typeof next === 'number' ? next : Infinity);
    } catch (error) {
      log.debug(`what the engine has and what tsnet has cannot be compared: ${String(error)}`);
      this.#suspicions.beginAnew();
      throw error;
    }
  }

  async #compare(listing: EngineListing): Promise<Next> {
    const { state, held, heard, ownEngine, isThere } = this.#parts;
    const askedAt = performance.now();
    const found = await comparison({ state, held, heard, listing, ownEngine, isThere });
    const settled = found.filter(({ thing }) => (heard.silence(thing) ?? Infinity) >= IN_FLIGHT);
    for (const fresh of this.#suspicions.observe(settled, askedAt)) this.#report(fresh);
    await this.#collect(askedAt);
    const wait = Math.min(
      this.#suspicions.wait(askedAt),
      settled.length < found.length ? IN_FLIGHT : Infinity,
    );
    // What is overdue could not be removed.
    return Number.isFinite(wait) ? wait : 'in time';
  }

  #report(orphan: Orphan): void {
    const grace = this.#suspicions.graceOf(orphan);
    const reason = orphan.kept ?? (Number.isFinite(grace) ? undefined : 'nothing is removed');
    const fate = `is removed in ${Math.ceil(grace / 1000)} s unless it speaks of it before`;
    this.#parts.log.warn(
      `${orphan.words} is unknown to the engine and ${reason === undefined ? fate : `is kept: ${reason}`}`,
    );
  }

  async #collect(askedAt: number): Promise<void> {
    const { heard, state, isThere, remove, log } = this.#parts;
    const due = this.#suspicions.due(askedAt);
    for (const orphan of due.toSorted((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind))) {
      // Between these questions and the beginning of the removal nothing else runs: a call that comes later finds it gone, and makes it anew.
      const silence = heard.silence(orphan.thing) ?? Infinity;
      if (silence < performance.now() - askedAt) continue;
      if (orphan.kind === 'network' && whyKept(state.endpointsOf(orphan.network.id), isThere)) continue;
      log.info(`${orphan.words} is unknown to the engine and is removed`);
      await this.#remove(orphan, remove);
    }
  }

  /**
   * Rows that say "to be removed" are of a call that failed. The engine has forgotten them, whatever it was answered.
   * @returns ms until they are to be looked at again; undefined where there are none
   */
  async #finish(): Promise<number | undefined> {
    const { state, heard, remove } = this.#parts;
    const all = unfinished(state);
    const idle = all.filter(({ thing }) => (heard.silence(thing) ?? Infinity) >= REPEATED);
    for (const orphan of idle) await this.#remove(orphan, remove);
    if (all.length === 0) return undefined;
    return idle.length < all.length ? REPEATED : Infinity;
  }

  async #remove(orphan: Orphan, remove: CollectorParts['remove']): Promise<void> {
    try {
      await remove(orphan);
      this.#suspicions.removed(orphan);
      this.#collected += 1;
    } catch (error) {
      this.#parts.log.warn(`${orphan.words} cannot be removed yet: ${String(error)}`);
    }
  }
}
