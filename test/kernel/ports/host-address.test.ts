import { describe, expect, it } from 'vitest';
import { hostAddress } from '../../../src/kernel/ports/host-address.ts';
import { socketAddress } from '../../../src/kernel/ports/sockets.ts';

const facts = (text: string) => {
  const { text: canonical, family, isWildcard } = hostAddress(text);
  return [canonical, family, isWildcard];
};

describe('hostAddress', () => {
  it('knows the canonical text, the family and whether all addresses are meant', () => {
    expect(facts('0.0.0.0')).toEqual(['0.0.0.0', 4, true]);
    expect(facts('0:0::0')).toEqual(['::', 6, true]);
    expect(facts('127.0.0.1')).toEqual(['127.0.0.1', 4, false]);
    expect(facts('2001:DB8:0::1')).toEqual(['2001:db8::1', 6, false]);
    expect(hostAddress('198.18.0.1').socketAddress).toEqual(socketAddress(4, 0xc6120001n, 0));
  });

  it('reads an address once, however many others come, and refuses a bad one again and again', () => {
    const first = hostAddress('198.18.0.7');
    expect(hostAddress('198.18.0.7')).toBe(first);
    for (let i = 0; i < 1000; i++) hostAddress(`198.18.${i >> 8}.${i & 255}`);
    expect(facts('198.18.0.7')).toEqual(['198.18.0.7', 4, false]);
    for (let i = 0; i < 2; i++) expect(() => hostAddress('::ffff:198.18.0.1')).toThrow(/no IP address/);
  });
});
