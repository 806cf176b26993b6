import { setTimeout as delay } from 'node:timers/promises';

/** How `waitFor` waits. */
export interface WaitOptions {
  /** Milliseconds after which the condition is given up. Default 10 000. */
  timeout?: number;
  /** What is waited for, in the error's words; a function is asked when the time is up. */
  what: string | (() => string);
}

/**
 * Asks until the answer is neither undefined, null nor false, and returns it. The lab never sleeps for a
 * guessed time: everything that takes time has a condition that says when it is done.
 *
 * @throws Error that names `what` when the deadline passes
 */
export async function waitFor<T>(
  ask: () => T | undefined | null | false | Promise<T | undefined | null | false>,
  { timeout = 10_000, what }: WaitOptions,
): Promise<T> {
  const deadline = Date.now() + timeout;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== null && answer !== false) return answer;
    if (Date.now() > deadline) {
      throw new Error(`lab: waited ${timeout} ms for ${typeof what === 'string' ? what : what()}`);
    }
    await delay(10);
  }
}
