import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearest } from '../../src/driver/nearest.ts';

describe('nearest', () => {
  it('is the word itself where it is among the candidates', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 8 }), fc.nat(), (words, pick) => {
        const word = words[pick % words.length] ?? '';
        expect(nearest(word, words)).toBe(word);
      }),
    );
  });

  it('is always one of the candidates', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string(), { minLength: 1, maxLength: 8 }), (word, words) => {
        expect(words).toContain(nearest(word, words));
      }),
    );
  });

  it.each([
    ['eht0', ['lo', 'eth0', 'wlan0'], 'eth0'],
    ['enable_icc', ['mode', 'com.docker.network.bridge.enable_icc'], 'com.docker.network.bridge.enable_icc'],
  ])('of %s among %j is %s', (word, words, near) => expect(nearest(word, words)).toBe(near));

  it('of no candidates is empty', () => expect(nearest('x', [])).toBe(''));
});
