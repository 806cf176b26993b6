import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as attribute from '../../../src/kernel/netlink/attribute-writer.ts';
import { decodeMessages, decodeOutcome, encodeMessage } from '../../../src/kernel/netlink/message.ts';
import { hasCode, NetlinkError } from '../../../src/kernel/netlink/netlink-error.ts';

const message = fc.record({
  type: fc.nat(0xffff),
  flags: fc.nat(0xffff),
  sequence: fc.nat(0xffffffff),
  port: fc.nat(0xffffffff),
  payload: fc.uint8Array({ maxLength: 100 }).map(bytes => Buffer.from(bytes)),
});
const header = { type: 2, flags: 0, sequence: 1, port: 0 };
const number = (value: number) => {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32LE(value);
  return buffer;
};

describe('messages', () => {
  it('are laid out as the kernel wants them', () => {
    const bytes = encodeMessage({ type: 16, flags: 0x605, sequence: 3, port: 0, payload: Buffer.from([9]) });
    expect(bytes.toString('hex')).toBe('11000000' + '10000506' + '03000000' + '00000000' + '09000000');
  });

  it('come back as they went in, several in a datagram', () => {
    fc.assert(
      fc.property(fc.array(message), messages => {
        expect(decodeMessages(Buffer.concat(messages.map(encodeMessage)))).toEqual(messages);
      }),
    );
  });

  it('survive any bytes and any cut', () => {
    fc.assert(
      fc.property(fc.array(message), fc.uint8Array(), fc.nat(300), (messages, junk, cut) => {
        const bytes = Buffer.concat([...messages.map(encodeMessage), junk]);
        for (const found of decodeMessages(bytes.subarray(0, cut))) {
          expect(decodeOutcome(found).errno).toBeGreaterThanOrEqual(0);
        }
      }),
    );
    // The largest length there is must neither pass nor turn negative.
    expect(decodeMessages(Buffer.alloc(64, 0xff))).toEqual([]);
    expect(decodeMessages(Buffer.alloc(64))).toEqual([]);
  });
});

describe('outcomes', () => {
  const words = attribute.text(1, 'Nexthop has invalid gateway');
  const echoed = encodeMessage({ ...header, type: 24, payload: Buffer.alloc(5) });

  it('read the kernel’s words behind a capped request', () => {
    const payload = Buffer.concat([number(-101), echoed.subarray(0, 16), words]);
    expect(decodeOutcome({ ...header, flags: 0x300, payload })).toEqual({
      errno: 101,
      extack: 'Nexthop has invalid gateway',
    });
  });

  it('read them behind a repeated request', () => {
    const payload = Buffer.concat([number(-101), echoed, words]);
    expect(decodeOutcome({ ...header, flags: 0x200, payload }).extack).toBe('Nexthop has invalid gateway');
  });

  it('read the end of a dump', () => {
    expect(decodeOutcome({ ...header, type: 3, payload: number(0) })).toEqual({ errno: 0 });
    expect(decodeOutcome({ ...header, type: 3, payload: Buffer.alloc(0) })).toEqual({ errno: 0 });
    const payload = Buffer.concat([number(-19), words]);
    expect(decodeOutcome({ ...header, type: 3, flags: 0x200, payload }).errno).toBe(19);
    expect(decodeOutcome({ ...header, type: 3, flags: 0x200, payload }).extack).toMatch(/^Nexthop/);
  });

  it('take a truncated error for an error', () => {
    expect(decodeOutcome({ ...header, payload: Buffer.alloc(2) })).toEqual({ errno: 5 });
  });
});

describe('NetlinkError', () => {
  it('carries number, symbol, operation and the kernel’s words', () => {
    const error = new NetlinkError(17, 'RTM_NEWLINK x', 'why not');
    expect(error).toMatchObject({ errno: 17, code: 'EEXIST', operation: 'RTM_NEWLINK x', extack: 'why not' });
    expect(error.message).toBe('RTM_NEWLINK x: EEXIST file already exists (why not)');
    expect(hasCode(error, 'ENOENT', 'EEXIST')).toBe(true);
    expect(hasCode(new Error('EEXIST'), 'EEXIST')).toBe(false);
  });

  it('copes with numbers that have no name', () => {
    expect(new NetlinkError(524, 'x').message).toContain('524');
  });
});
