/** Stands for the end of the process: nothing that comes after it has any effect. */
export class Crash extends Error {
  override readonly name = 'Crash';
}

/**
 * Counts what is done to the kernel and the store, in order, and can fail or end the process at any point. Kernel and
 * store of one world share one fuse, so "the third effect" is the third of both together.
 */
export class Fuse {
  /** Every effect since the last `arm`, in words. */
  readonly journal: string[] = [];
  #crashAt: number | undefined;
  #onEffect: (count: number) => void = () => undefined;
  #failAt: ReadonlySet<number> = new Set();
  #dead = false;

  /** Forgets the past. Counts begin at 1. */
  arm(
    options: { crashAt?: number; failAt?: Iterable<number>; onEffect?: (count: number) => void } = {},
  ): void {
    this.journal.length = 0;
    this.#dead = false;
    this.#crashAt = options.crashAt;
    this.#failAt = new Set(options.failAt ?? []);
    this.#onEffect = options.onEffect ?? (() => undefined);
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** Before anything is done or read. @throws Crash once the process has ended */
  check(): void {
    if (this.#dead) throw new Crash('the process is gone');
  }

  /**
   * Before an effect.
   * @throws Crash where the process ends here
   * @returns whether the effect fails
   */
  burn(what: string): boolean {
    this.check();
    const count = this.journal.push(what);
    if (count === this.#crashAt) {
      this.#dead = true;
      throw new Crash(`the process ends before ${what}`);
    }
    this.#onEffect(count);
    return this.#failAt.has(count);
  }
}
