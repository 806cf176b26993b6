import { setTimeout } from 'node:timers/promises';

/** Lets things of one kind pass one after the other, a least time apart. What comes alone does not wait. */
export class Spacing {
  readonly #gap: number;
  /** When the next one may pass, by kind, on the clock of performance.now(). */
  readonly #next = new Map<string, number>();

  /** @param gap milliseconds */
  constructor(gap: number) {
    this.#gap = gap;
  }

  /** @param kind for instance the id of a network */
  async pass(kind: string): Promise<void> {
    const now = performance.now();
    for (const [other, at] of this.#next) if (at <= now) this.#next.delete(other);
    const at = this.#next.get(kind) ?? now;
    this.#next.set(kind, at + this.#gap);
    if (at > now) await setTimeout(Math.ceil(at - now));
  }
}
