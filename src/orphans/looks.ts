/** Pause in ms before a look that something has asked for. */
const SOON = 100;
/** First pause after a look that failed; each further one is twice as long. */
const RETRY = 1000;
const SHORTEST = 200;
/** Nothing arises where nothing happens: pauses between looks that found nothing grow up to so many times their length. */
const LONGEST = 8;

/** What a look says of the next one: in so many ms, when it suits (nothing was found), or not before something happens. */
export type Next = number | 'in time' | 'on request';

/** One look after another, never two at a time, each at the time that the one before has asked for or something has. */
export class Looks {
  readonly #look: () => Promise<Next>;
  readonly #pause: number;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  #isWanted = false;
  #failures = 0;
  #calm = 1;
  /** When the next look is planned, on the clock of performance.now(). */
  #due = 0;
  #closed = false;

  /**
   * @param look rejects when it has to be repeated
   * @param pause between looks, in ms
   */
  constructor(look: () => Promise<Next>, pause: number) {
    this.#look = look;
    this.#pause = pause;
  }

  /** Something has happened that calls for a look now. */
  soon(): void {
    this.#calm = 1;
    if (this.#isLooking) this.#isWanted = true;
    else this.#plan(SOON);
  }

  /** Something has happened, as it does all the time: the pauses are of their usual length again. */
  stir(): void {
    if (this.#calm === 1) return;
    this.#calm = 1;
    if (!this.#isLooking && this.#due - performance.now() > this.#pause) this.#plan(this.#pause);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #plan(pause: number): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    this.#due = performance.now() + pause;
    this.#timer = setTimeout(() => void this.#run(), pause).unref();
  }

  async #run(): Promise<void> {
    this.#isLooking = true;
    const pause = await this.#look().then(
      next => this.#after(next),
      () => this.#afterFailure(),
    );
    this.#isLooking = false;
    const isWanted = this.#isWanted;
    this.#isWanted = false;
    if (isWanted) this.#plan(SOON);
    else if (pause !== undefined) this.#plan(pause);
  }

  #after(next: Next): number | undefined {
    this.#failures = 0;
    if (next === 'on request') return undefined;
    if (next !== 'in time') return Math.max(SHORTEST, Math.min(next, this.#pause));
    const pause = this.#pause * this.#calm;
    this.#calm = Math.min(this.#calm * 2, LONGEST);
    return pause;
  }

  #afterFailure(): number {
    const pause = RETRY * 2 ** this.#failures;
    this.#failures += 1;
    return Math.min(pause, this.#pause);
  }
}
