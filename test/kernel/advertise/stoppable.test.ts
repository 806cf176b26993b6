import { describe, expect, it } from 'vitest';
import { Stoppable } from '../../../src/kernel/advertise/stoppable.ts';

/** Milliseconds; longer than any test may take. */
const NEVER = 600_000;

describe('waiting', () => {
  it('is for as long as it is asked for', async () => {
    const waiting = new Stoppable();
    const start = performance.now();
    expect(await waiting.pause(20)).toBe(true);
    expect(performance.now() - start).toBeGreaterThanOrEqual(19);
    expect(waiting.isStopped).toBe(false);
  });

  it('is over when it is stopped, at once and for good', async () => {
    const waiting = new Stoppable();
    const pause = waiting.pause(NEVER);
    waiting.stop();
    expect(await pause).toBe(false);
    expect([await waiting.pause(NEVER), waiting.isStopped]).toEqual([false, true]);
    waiting.stop();
  });
});
