import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as names from '../../src/host-state/names.ts';

const { isLinkName } = names;
const MAKERS = [
  names.bridgeName,
  names.dummyName,
  names.shimName,
  names.portName,
  names.containerLinkName,
] as const;

const hex = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 64, maxLength: 64 });
const base36 = fc.string({
  unit: fc.constantFrom(...'0123456789abcdefghijklmnopqrstuvwxyz'),
  minLength: 25,
  maxLength: 25,
});
const id = fc.oneof(hex, base36);

describe('names of links', () => {
  it('fit into IFNAMSIZ, are link names, and come out the same each time', () => {
    fc.assert(
      fc.property(id, fc.constantFrom(...MAKERS), (text, make) => {
        const name = make(text);
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(15);
        expect(isLinkName(name)).toBe(true);
        expect(make(text)).toBe(name);
      }),
    );
  });

  it('differ for different ids, also where these begin alike, and for each purpose', () => {
    fc.assert(
      fc.property(fc.uniqueArray(id, { minLength: 2, maxLength: 20 }), ids => {
        const made = ids.flatMap(text => MAKERS.map(make => make(text)));
        expect(new Set(made).size).toBe(made.length);
      }),
    );
    const near = ['0', '1'].map(last => names.bridgeName(`${'a'.repeat(63)}${last}`));
    expect(near[0]).not.toBe(near[1]);
  });
});

describe('isLinkName', () => {
  it.each(['eth0', 'eth0.100', 'br-lan', 'a', 'wlp0s20f3', '_x', 'veth@if3', 'exactly15bytes_'])(
    'takes %j',
    text => expect(isLinkName(text)).toBe(true),
  );

  it.each([
    '',
    '.',
    '..',
    '-x',
    '@x',
    'all',
    'default',
    'sixteen_bytes_xx',
    'a b',
    'a/b',
    'a\n',
    'a\0b',
    'a"b',
    'a;b',
    'a{b',
    '$x',
    'é',
    'lo\u202e',
  ])('refuses %j', text => expect(isLinkName(text)).toBe(false));

  it('takes nothing that means something to nft, a path, a shell or a terminal', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ maxLength: 16 }), fc.string({ unit: 'binary', maxLength: 16 })),
        text => {
          if (!isLinkName(text)) return;
          expect(Buffer.byteLength(text)).toBeLessThanOrEqual(15);
          expect(text).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_.@-]*$/);
        },
      ),
      { numRuns: 500 },
    );
  });
});
