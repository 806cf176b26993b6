import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OffsetSet } from '../../src/ipam/offset-set.ts';

/** Which operation, and on what: offsets are taken modulo the size of the set. */
type Step = readonly ['add' | 'delete' | 'has' | 'first', number, number];

const steps = fc.array(
  fc.tuple(
    fc.constantFrom('add', 'add', 'delete', 'has', 'first') as fc.Arbitrary<Step[0]>,
    fc.nat(),
    fc.nat(),
  ),
  { maxLength: 400, size: 'max' },
);

/** The same, the obvious way. */
function naive(taken: ReadonlySet<bigint>, from: bigint, to: bigint): bigint | undefined {
  for (let offset = from; offset <= to; offset++) if (!taken.has(offset)) return offset;
  return undefined;
}

describe('the set', () => {
  it.each([0, 1, 4, 5, 6, 8, 10, 11])('behaves as a plain one, of %i bits', bits => {
    const size = 2 ** bits;
    fc.assert(
      fc.property(steps, operations => {
        const set = new OffsetSet(bits);
        const taken = new Set<bigint>();
        for (const [operation, x, y] of operations) {
          const [a, b] = [BigInt(x % size), BigInt(y % size)];
          if (operation === 'add') {
            // Whole runs, so that nodes fill up.
            for (let o = a; o < BigInt(size) && o <= a + BigInt(y % 40); o++) {
              set.add(o);
              taken.add(o);
            }
          } else if (operation === 'delete') {
            set.delete(a);
            taken.delete(a);
          } else if (operation === 'has') {
            expect(set.has(a)).toBe(taken.has(a));
          } else {
            expect(set.firstFree(a, b)).toBe(naive(taken, a, b));
          }
        }
        expect(set.firstFree(0n, BigInt(size - 1))).toBe(naive(taken, 0n, BigInt(size - 1)));
      }),
      { numRuns: 100 },
    );
  });

  it('holds offsets of 128 bits', () => {
    const set = new OffsetSet(128);
    const last = 2n ** 128n - 1n;
    set.add(last);
    set.add(last - 1n);
    expect(set.firstFree(last - 1n, last)).toBeUndefined();
    expect(set.firstFree(last - 2n, last)).toBe(last - 2n);
    set.delete(last);
    expect(set.firstFree(last - 1n, last)).toBe(last);
    expect([set.has(last), set.has(last - 1n)]).toEqual([false, true]);
  });
});

describe('the cost of the next free offset', () => {
  /** Nodes visited by the dearest of some searches over the whole of a set. */
  const dearest = (set: OffsetSet, from: readonly bigint[], last: bigint): number =>
    Math.max(
      ...from.map(offset => {
        const before = set.visits;
        set.firstFree(offset, last);
        return set.visits - before;
      }),
    );
  const LAST = 2n ** 24n - 2n;
  const starts = Array.from({ length: 300 }, (_, i) => BigInt(i * 50_021) + 1n);

  it('is a few nodes in a /8, with a million taken as with none', () => {
    const set = new OffsetSet(24);
    expect(dearest(set, starts, LAST)).toBe(1);
    for (let offset = 1n; offset <= 1_000_000n; offset++) set.add(offset);
    expect(set.firstFree(1n, LAST)).toBe(1_000_001n);
    expect(dearest(set, starts, LAST)).toBeLessThanOrEqual(10);
  });

  it('is as few where the million lie scattered', () => {
    const set = new OffsetSet(24);
    for (let i = 0n; i < 1_000_000n; i++) set.add((i * 7_919n) % (LAST + 1n));
    expect(dearest(set, starts, LAST)).toBeLessThanOrEqual(10);
  });

  it('is as few in the last offset of an almost full set', () => {
    const set = new OffsetSet(20);
    const last = 2n ** 20n - 1n;
    for (let offset = 0n; offset <= last; offset++) if (offset !== 777_777n) set.add(offset);
    const before = set.visits;
    expect(set.firstFree(0n, last)).toBe(777_777n);
    expect(set.visits - before).toBeLessThanOrEqual(8);
  });

  it('grows with the bits of the pool alone: an IPv6 /64', () => {
    const set = new OffsetSet(64);
    for (let offset = 1n; offset <= 100_000n; offset++) set.add(offset);
    expect(dearest(set, [1n, 50_000n, 99_999n, 2n ** 63n], 2n ** 64n - 1n)).toBeLessThanOrEqual(26);
  });
});
