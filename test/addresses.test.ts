import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bareOf,
  canonicalCidr,
  cidrContains,
  cidrOverlaps,
  familyOf,
  formatAddress,
  formatCidr,
  parseAddress,
  parseCidr,
} from '../src/addresses.ts';

describe('an address', () => {
  it.each([
    ['10.0.36.254', '10.0.36.254'],
    ['255.255.255.255', '255.255.255.255'],
    ['FD00:0:0:0:0:0:0:1', 'fd00::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
    ['::', '::'],
  ])('%s is %s', (text, canonical) => {
    const { family, value } = parseAddress(text);
    expect(formatAddress(family, value)).toBe(canonical);
  });

  it.each([
    '10.1',
    '10',
    '0x0a.0.0.1',
    '010.0.0.1',
    '10.0.0.01',
    '10.0.0.256',
    '10.0.0.1.1',
    ' 10.0.0.1',
    '10.0.0.1/24',
    'fe80::1%eth0',
    '::ffff:10.0.0.1',
    '::ffff:a00:1',
    '1::2::3',
    '2001:db8::00001',
    '[::1]',
    '',
    'host',
    '1:2:3',
  ])('is not %j', text => {
    expect(() => parseAddress(text)).toThrow(/^ADDRESS_INVALID: /);
  });

  it('comes back as it went', () => {
    const addresses = fc.oneof(
      fc.record({ family: fc.constant(4 as const), value: fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }) }),
      fc.record({
        family: fc.constant(6 as const),
        value: fc.bigInt({ min: 2n ** 64n, max: 2n ** 128n - 1n }),
      }),
    );
    fc.assert(
      fc.property(addresses, address => {
        expect(parseAddress(formatAddress(address.family, address.value))).toEqual(address);
      }),
    );
  });
});

describe('a CIDR', () => {
  it('keeps its host bits, and tells its network', () => {
    const cidr = parseCidr('10.1.2.3/8');
    expect(cidr).toEqual({ family: 4, address: 0x0a010203n, prefix: 8, network: 0x0a000000n });
    expect(formatCidr(cidr)).toBe('10.1.2.3/8');
    expect(canonicalCidr('10.1.2.3/8', { network: true })).toBe('10.0.0.0/8');
    expect(canonicalCidr('2001:DB8::9/64')).toBe('2001:db8::9/64');
    expect(canonicalCidr('2001:DB8::9/64', { network: true })).toBe('2001:db8::/64');
  });

  it.each([
    '10.0.0.0',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '10.0.0.0/-1',
    '10.0.0.0/255.0.0.0',
    '::/129',
    '::/1/2',
    '10/8',
    '/8',
  ])('is not %j', text => {
    expect(() => parseCidr(text)).toThrow(/^ADDRESS_INVALID: /);
  });

  it.each([
    ['10.0.0.0/24', '10.0.0.255', true],
    ['10.0.0.77/24', '10.0.0.0', true],
    ['10.0.0.0/24', '10.0.1.0', false],
    ['0.0.0.0/0', '255.255.255.255', true],
    ['0.0.0.0/0', '::1', false],
    ['::/0', '10.0.0.1', false],
    ['2001:db8::/64', '2001:db8::ffff:ffff:ffff:ffff', true],
    ['2001:db8::1/128', '2001:db8::2', false],
  ])('%s contains %s: %s', (cidr, address, expected) => {
    expect(cidrContains(parseCidr(cidr), parseAddress(address))).toBe(expected);
  });

  it.each([
    ['10.0.0.0/8', '10.9.0.0/16', true],
    ['10.0.0.0/24', '10.0.1.0/24', false],
    ['10.0.0.5/24', '10.0.0.9/24', true],
    ['0.0.0.0/0', '::/0', false],
    ['::/0', '2001:db8::/32', true],
  ])('%s overlaps %s: %s, both ways', (a, b, expected) => {
    expect(cidrOverlaps(parseCidr(a), parseCidr(b))).toBe(expected);
    expect(cidrOverlaps(parseCidr(b), parseCidr(a))).toBe(expected);
  });
});

it('tells the address and the family of either form', () => {
  expect(bareOf('10.1.2.3/8')).toBe('10.1.2.3');
  expect(bareOf('fd00::1')).toBe('fd00::1');
  expect(familyOf('10.1.2.3/8')).toBe(4);
  expect(familyOf('fd00::1')).toBe(6);
  expect(() => familyOf('10.1/8')).toThrow(/^ADDRESS_INVALID/);
});
