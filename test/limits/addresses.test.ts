import { describe, expect, it } from 'vitest';
import { FilledPool, NO_STORE } from '../../bench/limits/addresses.ts';

/** Time on the processor, in ms: what others do on the machine meanwhile does not count. */
const busy = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

const PAIRS = 30_000;
/** The best of some rounds: the first ones are not compiled yet, and collections fall into any. */
const best = (pool: FilledPool): number =>
  Math.max(...Array.from({ length: 5 }, () => pool.rate(PAIRS, busy)));

// A fifth of what `make bench` asks for: a busy machine's caches are not one's own.
describe('an address taken and given back', { timeout: 60_000 }, () => {
  const empty = best(new FilledPool(NO_STORE, 0));

  it('takes less than 10 µs in an empty /8', () => expect(empty).toBeGreaterThan(100_000));

  it('takes no longer with 300,000 others taken', () => {
    const full = best(new FilledPool(NO_STORE, 300_000));
    expect(full).toBeGreaterThan(100_000);
    expect(full / empty).toBeGreaterThan(0.4);
  });
});
