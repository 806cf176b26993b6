/** How many calls may leave a trace each before those are forgotten that nobody has spoken of for long. */
const MANY = 4096;
/** Milliseconds after which a trace is forgotten then: far beyond what an engine takes for anything. */
const LONG = 600_000;

/** When the engine's calls have last spoken of a thing (a network, an endpoint, an address, a pool), by a name for it. */
export class Heard {
  readonly #now: () => number;
  /** Calls under way. */
  readonly #busy = new Map<string, number>();
  /** Ends of the last calls, the latest last. */
  readonly #last = new Map<string, number>();

  /** @param now milliseconds on a clock that never goes back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Runs a call, which begins at once, and is about these things from now on until it has ended. */
  async during<T>(things: readonly string[], call: () => Promise<T>): Promise<T> {
    for (const thing of things) this.#busy.set(thing, (this.#busy.get(thing) ?? 0) + 1);
    try {
      return await call();
    } finally {
      for (const thing of things) this.#end(thing);
    }
  }

  /** A call that is at its end was about this. */
  mark(thing: string): void {
    this.#last.delete(thing);
    this.#last.set(thing, this.#now());
    if (this.#last.size > MANY) this.#forgetOld();
  }

  /** Milliseconds for which nobody has spoken of a thing: 0 while somebody does; undefined if nobody has in this process. */
  silence(thing: string): number | undefined {
    if (this.#busy.has(thing)) return 0;
    const last = this.#last.get(thing);
    return last === undefined ? undefined : this.#now() - last;
  }

  #end(thing: string): void {
    const rest = (this.#busy.get(thing) ?? 1) - 1;
    if (rest > 0) this.#busy.set(thing, rest);
    else this.#busy.delete(thing);
    this.mark(thing);
  }

  #forgetOld(): void {
    const oldest = this.#now() - LONG;
    for (const [thing, at] of this.#last) {
      if (at > oldest) return;
      this.#last.delete(thing);
    }
  }
}
