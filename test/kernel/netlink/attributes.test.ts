import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Attributes } from '../../../src/kernel/netlink/attribute-reader.ts';
import * as attribute from '../../../src/kernel/netlink/attribute-writer.ts';

const type = fc.integer({ min: 1, max: 0x3fff });
const typed = <T>(value: fc.Arbitrary<T>) => fc.uniqueArray(fc.tuple(type, value), { selector: ([t]) => t });

describe('attributes', () => {
  it('are laid out as the kernel wants them', () => {
    expect(attribute.text(3, 'lo').toString('hex')).toBe('07000300' + '6c6f0000' + '');
    expect(attribute.u8(1, 0xab).toString('hex')).toBe('05000100' + 'ab000000');
    expect(attribute.u16(2, 0x1234).toString('hex')).toBe('06000200' + '34120000');
    expect(attribute.u32(4, 1500).toString('hex')).toBe('08000400' + 'dc050000');
    expect(attribute.nested(18, attribute.text(1, 'veth')).toString('hex')).toBe(
      '10001280' + '09000100' + '7665746800000000',
    );
  });

  it('come back as they went in', () => {
    fc.assert(
      fc.property(typed(fc.uint8Array({ maxLength: 300 })), entries => {
        const decoded = new Attributes(Buffer.concat(entries.map(([t, value]) => attribute.bytes(t, value))));
        expect(decoded.types()).toEqual(entries.map(([t]) => t));
        for (const [t, value] of entries) expect(decoded.bytes(t)).toEqual(Buffer.from(value));
      }),
    );
  });

  it('keep numbers and text, nested to any depth', () => {
    const string = fc.string({ unit: 'grapheme' }).filter(text => !text.includes('\0'));
    const [byte, short, long] = [fc.nat(0xff), fc.nat(0xffff), fc.nat(0xffffffff)];
    fc.assert(
      fc.property(byte, short, long, string, fc.array(type, { maxLength: 5 }), (a, b, c, text, path) => {
        const leaf = Buffer.concat([
          attribute.u8(1, a),
          attribute.u16(2, b),
          attribute.u32(3, c),
          attribute.text(4, text),
        ]);
        const buffer = path.reduce<Buffer>((inner, t) => attribute.nested(t, inner), leaf);
        let decoded: Attributes | undefined = new Attributes(buffer);
        for (const t of path.toReversed()) decoded = decoded?.nested(t);
        expect([decoded?.u8(1), decoded?.u16(2), decoded?.u32(3)]).toEqual([a, b, c]);
        expect(decoded?.text(4)).toBe(text);
      }),
    );
  });

  it('survive any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(220), (bytes, start) => {
        const decoded = new Attributes(Buffer.from(bytes), start);
        for (const t of decoded.types()) {
          expect(decoded.bytes(t)?.length).toBeLessThanOrEqual(bytes.length);
          decoded.u32(t);
          decoded.text(t);
          decoded.nested(t);
        }
      }),
    );
  });

  it('end where a length is malformed', () => {
    const good = attribute.u32(1, 7);
    for (const bad of ['0000' + '0200', '0300' + '0200', 'ff00' + '0200']) {
      const decoded = new Attributes(Buffer.concat([good, Buffer.from(bad, 'hex'), good]));
      expect(decoded.types()).toEqual([1]);
    }
    expect(new Attributes(good.subarray(0, 6)).u32(1)).toBeUndefined();
    expect(new Attributes(attribute.u8(1, 7)).u32(1)).toBeUndefined();
    expect(new Attributes(good).text(9)).toBeUndefined();
  });

  it('refuse what the kernel would read differently', () => {
    expect(() => attribute.text(3, 'a\0b')).toThrow(RangeError);
    expect(() => attribute.bytes(3, new Uint8Array(65532))).toThrow(RangeError);
    expect(attribute.bytes(3, new Uint8Array(65531))).toHaveLength(65536);
  });
});
