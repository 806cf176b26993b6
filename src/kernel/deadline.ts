import { setTimeout } from 'node:timers/promises';

/**
 * Waits for a work for a limited time. The work itself goes on past that.
 * @param ms milliseconds
 * @param late makes the error that is thrown then
 */
export async function within<T>(work: Promise<T>, ms: number, late: () => Error): Promise<T> {
  const timer = new AbortController();
  const deadline = setTimeout(ms, 'late', { signal: timer.signal, ref: false }).catch(() => 'late');
  let done = false;
  try {
    const outcome = await Promise.race([
      work.finally(() => {
        done = true;
      }),
      deadline,
    ]);
    if (!done) throw late();
    return outcome as T;
  } finally {
    timer.abort();
  }
}
