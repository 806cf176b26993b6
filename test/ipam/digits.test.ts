import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Digits, FAN } from '../../src/ipam/digits.ts';

const sized = fc
  .integer({ min: 0, max: 128 })
  .chain(bits => fc.tuple(fc.constant(bits), fc.bigInt(0n, 2n ** BigInt(bits) - 1n), fc.nat(), fc.nat()));

describe('the digits of an offset', () => {
  it('are its value in base 32', () => {
    fc.assert(
      fc.property(sized, ([bits, offset]) => {
        const digits = new Digits(bits);
        digits.set(offset);
        expect(digits.value()).toBe(offset);
        for (let level = 0; level < digits.count; level++) {
          expect(digits.at(level)).toBe(Number((offset >> BigInt(5 * level)) % BigInt(FAN)));
        }
      }),
    );
  });

  it('are followed by zeros where one was raised', () => {
    fc.assert(
      fc.property(sized, ([bits, offset, at, to]) => {
        const digits = new Digits(bits);
        digits.set(offset);
        const level = at % digits.count;
        const unit = 2n ** BigInt(5 * level);
        digits.advance(level, to % FAN);
        expect(digits.value()).toBe((offset / (unit * 32n)) * unit * 32n + BigInt(to % FAN) * unit);
      }),
    );
  });
});
