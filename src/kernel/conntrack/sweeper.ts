import { setImmediate } from 'node:timers/promises';
import type { FlowMatch } from '../../host-state/flows.ts';
import type { Conntrack } from './conntrack.ts';

/**
 * Ends tracked connections in the background. Where the kernel cannot delete them by itself its whole table is walked (10 ms
 * where it has 262144 buckets, however few connections), so what is asked for during a walk shares the next one.
 */
export class FlowSweeper {
  readonly #conntrack: Pick<Conntrack, 'forget'>;
  readonly #onError: (error: unknown) => void;
  #waiting: FlowMatch[] = [];
  #walking: readonly FlowMatch[] = [];
  #run: Promise<void> | undefined;

  /** @param onError hears of matches that could not be seen to; nobody waits for them */
  constructor(conntrack: Pick<Conntrack, 'forget'>, onError: (error: unknown) => void) {
    this.#conntrack = conntrack;
    this.#onError = onError;
  }

  forget(matches: readonly FlowMatch[]): void {
    this.#waiting.push(...matches);
    this.#run ??= this.#walk();
  }

  /** Resolves when nothing is left to be ended of these containers. @param containers bare addresses; absent: of anybody */
  async settled(containers?: readonly string[]): Promise<void> {
    const concerns = ({ container }: FlowMatch) =>
      containers === undefined || (container !== undefined && containers.includes(container));
    if ([...this.#walking, ...this.#waiting].some(concerns)) await this.#run;
  }

  async #walk(): Promise<void> {
    // First the call is answered.
    await setImmediate();
    while (this.#waiting.length > 0) {
      this.#walking = this.#waiting;
      this.#waiting = [];
      await this.#conntrack.forget(this.#walking).catch(this.#onError);
    }
    this.#walking = [];
    this.#run = undefined;
  }
}
