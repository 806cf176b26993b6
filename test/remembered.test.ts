import { describe, expect, it, vi } from 'vitest';
import { remembered } from '../src/remembered.ts';

describe('a remembered function', () => {
  it('is asked each thing once', () => {
    const answer = vi.fn((text: string) => text.length);
    const length = remembered(10, answer);
    expect([length('ab'), length('abc'), length('ab'), length('')]).toEqual([2, 3, 2, 0]);
    expect(length('')).toBe(0);
    expect(answer).toHaveBeenCalledTimes(3);
  });

  it('keeps no more answers than it was told', () => {
    const answer = vi.fn((number: number) => String(number));
    const text = remembered(2, answer);
    for (const number of [1, 2, 3, 3]) text(number);
    expect(answer).toHaveBeenCalledTimes(3);
    expect(text(1)).toBe('1');
    expect(answer).toHaveBeenCalledTimes(4);
  });

  it('does not keep what is thrown', () => {
    let isBroken = true;
    const half = remembered(10, (number: number) => {
      if (isBroken) throw new RangeError('odd');
      return number / 2;
    });
    expect(() => half(4)).toThrow(RangeError);
    isBroken = false;
    expect(half(4)).toBe(2);
  });
});
