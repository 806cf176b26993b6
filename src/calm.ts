/** Milliseconds without a call: V8 tidies its heap after about 10 s without work, and what it frees is to be in it. */
const QUIET = 20_000;

/** Does something once whenever calls have come and then none for a while. */
export class Calm {
  readonly #action: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(action: () => void) {
    this.#action = action;
  }

  /** Something has happened: the quiet begins anew. */
  disturb(): void {
    if (this.#timer !== undefined) this.#timer.refresh();
    else this.#timer = setTimeout(this.#action, QUIET).unref();
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
