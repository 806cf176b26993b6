import type { Logger } from 'winston';
import type { Reconciler } from './reconciler.ts';

/** Lets a burst of events (a parent that goes down and up takes dozens along) become one repair. In ms. */
const GATHER = 25;

/** Asks for a repair soon after something was lost, once for all that is lost about the same time. */
export class Repairer {
  readonly #reconciler: Pick<Reconciler, 'run'>;
  readonly #log: Logger;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(reconciler: Pick<Reconciler, 'run'>, log: Logger) {
    this.#reconciler = reconciler;
    this.#log = log;
  }

  /** @param loss in words, for the log */
  repair(loss: string): void {
    if (this.#timer !== undefined || this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#reconciler
        .run(loss)
        .catch((error: unknown) => this.#log.error(`repair after "${loss}": ${String(error)}`));
    }, GATHER);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }
}
