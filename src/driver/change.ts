import { TsnetError } from '../errors.ts';
import { changesOf, type Op } from '../host-state/ops.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Call } from '../protocol/types.ts';
import type { Expectations } from '../reconcile/expectations.ts';

/** Does the steps of a call and tells its log entry and the monitor what they were. */
export class Changes {
  readonly #kernel: Kernel;
  readonly #expectations: Expectations;

  constructor(kernel: Kernel, expectations: Expectations) {
    this.#kernel = kernel;
    this.#expectations = expectations;
  }

  /** @param context how errors name what the steps are for */
  async make(ops: readonly Op[], call: Call, context: string): Promise<void> {
    this.#expectations.remove(ops);
    await this.#kernel.apply(ops, { context });
    this.#expectations.add(ops);
    for (const change of changesOf(ops)) call.changed(change);
  }

  /** Goes on past failures; throws them all together at the end. */
  async undo(ops: readonly Op[], call: Call, context: string): Promise<void> {
    this.#expectations.remove(ops);
    for (const change of changesOf(ops)) call.changed(change);
    await this.#kernel.apply(ops, { context, teardown: true });
    this.#expectations.add(ops);
  }
}

/**
 * The engine has been told that the call failed, and will not ask for the removal of what it believes was never made
 * (protocol: no DeleteNetwork after a failed CreateNetwork, no DeleteEndpoint after a failed CreateEndpoint).
 * @throws TsnetError DEADLINE
 */
export function refuseLate(call: Call, what: string): void {
  if (call.signal.aborted) throw new TsnetError('DEADLINE', `${what} took longer than the engine waits`);
}
