import type { Op } from '../../host-state/ops.ts';
import { enter, type Inside } from '../sandbox/enter.ts';

/**
 * Enters the sandbox of the next step while a worker waits for the kernel's answer to this one, so that
 * a container does not wait for it afterwards.
 */
export class Ahead implements Disposable {
  #next: { readonly op: Op; readonly inside: Inside | undefined } | undefined;

  /** Never throws: what keeps the step out of its sandbox is told when it enters by itself. */
  prepare(op: Op | undefined): void {
    if (op?.op !== 'end.set') return;
    try {
      this.#next = { op, inside: enter(op.end.sandbox) };
    } catch {
      this.#next = undefined;
    }
  }

  /** @returns the ways into the step's sandbox, which are the caller's to close; undefined where there are none yet */
  take(op: Op): Inside | undefined {
    if (this.#next?.op !== op) return undefined;
    const { inside } = this.#next;
    this.#next = undefined;
    return inside;
  }

  /** Closes what no step has taken. */
  [Symbol.dispose](): void {
    this.#next?.inside?.[Symbol.dispose]();
    this.#next = undefined;
  }
}
