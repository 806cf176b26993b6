import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OffsetMap } from '../../src/ipam/offset-map.ts';

/** Offsets that meet each other in pages, on both sides of what a number holds exactly. */
const offsets = fc
  .tuple(fc.constantFrom(0n, 60n, 2n ** 24n, 2n ** 53n - 70n, 2n ** 64n, 2n ** 128n - 200n), fc.nat(150))
  .map(([base, step]) => base + BigInt(step));

const steps = fc.array(fc.tuple(fc.constantFrom('set', 'set', 'delete'), offsets, fc.nat()), {
  maxLength: 300,
  size: 'max',
});

describe('the map', () => {
  it('behaves as a plain one', () => {
    fc.assert(
      fc.property(steps, operations => {
        const map = new OffsetMap<number>();
        const plain = new Map<bigint, number>();
        for (const [operation, offset, value] of operations) {
          if (operation === 'set') {
            map.set(offset, value);
            plain.set(offset, value);
          } else {
            map.delete(offset);
            plain.delete(offset);
          }
          expect(map.get(offset)).toBe(plain.get(offset));
          expect(map.size).toBe(plain.size);
        }
        for (const [offset, value] of plain) {
          expect(map.get(offset)).toBe(value);
          expect(map.get(offset + 64n)).toBe(plain.get(offset + 64n));
        }
      }),
    );
  });
});
