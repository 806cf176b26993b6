import type { Log } from '../log.ts';

/** Lets a burst of events (a parent that goes down and up takes dozens along) become one repair. In ms. */
const GATHER = 25;

/** Repairs soon after something was lost, once for all that is lost about the same time. */
export class Repairer {
  readonly #run: (loss: string) => Promise<void>;
  readonly #log: Log;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param run does the repair; told the first of the losses, in words */
  constructor(run: (loss: string) => Promise<void>, log: Log) {
    this.#run = run;
    this.#log = log;
  }

  /** @param loss in words, for the log */
  repair(loss: string): void {
    if (this.#timer !== undefined || this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#run(loss).catch((error: unknown) => this.#log.error(`repair after "${loss}": ${String(error)}`));
    }, GATHER);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }
}
