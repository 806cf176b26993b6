import { existsSync } from 'node:fs';
import type { State } from './state.ts';

/**
 * Sandboxes with an interface made by tsnet which an engine has found when it started (live-restore). It takes all that it did
 * not move there for one, which it closes with each that leaves, and dies of closing it twice (moby 28.0 to 29.6,
 * osl.Namespace.RemoveInterface). So no further interface is made inside them, as long as they live.
 */
export class RestoredSandboxes {
  readonly #state: State;
  readonly #exists: (path: string) => boolean;
  #isDue = false;

  /** @param exists whether there is a file at a path */
  constructor(state: State, exists: (path: string) => boolean = existsSync) {
    this.#state = state;
    this.#exists = exists;
  }

  /** An engine has registered: it has just started, or says so once more, which does no harm. Never throws. */
  engineStarted(): void {
    this.#isDue = true;
    try {
      this.#settle();
    } catch {
      // Made good with the next question; till then every other call tells what is wrong with the store.
    }
  }

  /** @throws TsnetError STATE_* */
  has(sandbox: string): boolean {
    this.#settle();
    return this.#state.restoredSandboxes().has(sandbox);
  }

  #settle(): void {
    if (!this.#isDue) return;
    const before = this.#state.restoredSandboxes();
    const inUse = this.#state
      .networks()
      .flatMap(({ id }) => this.#state.endpointsOf(id))
      .flatMap(({ inside, sandbox }) => (inside === undefined ? [] : (sandbox ?? [])));
    const after = new Set([...before, ...inUse].filter(this.#exists));
    if (after.symmetricDifference(before).size > 0) this.#state.putRestoredSandboxes(after);
    this.#isDue = false;
  }
}
