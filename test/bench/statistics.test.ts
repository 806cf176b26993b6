import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { figures, quantile } from '../../bench/statistics.ts';

const samples = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 50 });

describe('quantile', () => {
  it('lies within the samples, and grows with the share', () => {
    fc.assert(
      fc.property(samples, fc.double({ min: 0, max: 1, noNaN: true }), (all, share) => {
        const value = quantile(all, share);
        expect(value).toBeGreaterThanOrEqual(Math.min(...all));
        expect(value).toBeLessThanOrEqual(Math.max(...all) * (1 + 1e-12));
        expect(quantile(all, 0)).toBe(Math.min(...all));
        expect(quantile(all, 1)).toBe(Math.max(...all));
      }),
    );
  });

  it('is the middle for one half, whatever the order', () => {
    expect(quantile([9, 1, 5], 0.5)).toBe(5);
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(quantile([10, 0], 0.9)).toBeCloseTo(9);
  });

  it('needs a sample', () => {
    expect(() => quantile([], 0.5)).toThrow(RangeError);
  });
});

describe('figures', () => {
  it('takes the medians of the rounds as the spread', () => {
    expect(figures([[1, 2, 3], [10], [4, 6]])).toEqual({
      median: 3.5,
      p90: 8,
      spread: [2, 10],
      samples: 6,
    });
  });
});
