import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { macOfAddress, portMac, stableMac } from '../../src/modes/mac.ts';

const LOCAL_UNICAST = /^[0-9a-f][26ae](:[0-9a-f]{2}){5}$/;

describe('the MAC of an address', () => {
  it.each([
    ['198.18.0.16', '02:42:c6:12:00:10'],
    ['198.18.0.16/24', '02:42:c6:12:00:10'],
    ['0.0.0.0', '02:42:00:00:00:00'],
    ['255.255.255.255', '02:42:ff:ff:ff:ff'],
  ])('%s is %s', (address, mac) => expect(macOfAddress(address)).toBe(mac));

  it('depends on an IPv6 address, not on how it is written', () => {
    const mac = macOfAddress('2001:db8::10/64');
    expect(mac).toMatch(LOCAL_UNICAST);
    expect(macOfAddress('2001:0DB8:0:0:0:0:0:0010')).toBe(mac);
    expect(macOfAddress('2001:db8::11')).not.toBe(mac);
  });

  it('is local and unicast, and of its own for each IPv4 address', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), (a, b) => {
        expect(macOfAddress(a)).toMatch(LOCAL_UNICAST);
        expect(macOfAddress(a) === macOfAddress(b)).toBe(a === b);
      }),
    );
  });
});

describe('a stable MAC', () => {
  it('is local and unicast, and the same for the same words', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 3 }), words => {
        expect(stableMac(...words)).toMatch(LOCAL_UNICAST);
        expect(stableMac(...words)).toBe(stableMac(...words));
      }),
    );
  });

  it('tells words apart by where they end', () => {
    expect(stableMac('ab', 'c')).not.toBe(stableMac('a', 'bc'));
  });
});

describe("a port's MAC", () => {
  it('is local and unicast, of its own, and above every MAC that the kernel or a vendor gives', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        expect(portMac(a)).toMatch(/^fe(:[0-9a-f]{2}){5}$/);
        expect(portMac(a) === portMac(b)).toBe(a === b);
      }),
    );
  });
});
