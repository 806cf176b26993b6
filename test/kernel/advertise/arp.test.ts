import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { arpAnnouncement } from '../../../src/kernel/advertise/arp.ts';
import { addressBytes, macBytes } from '../../../src/kernel/rtnetlink/notation.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

it('is, to the byte, what tcpdump calls a request who-has 198.18.0.2 tell 198.18.0.2', () => {
  const frame = arpAnnouncement(macBytes('02:42:0a:0b:0c:0d'), addressBytes('198.18.0.2').bytes);
  expect(frame.toString('hex')).toBe(
    'ffffffffffff02420a0b0c0d0806' + '0001080006040001' + '02420a0b0c0dc6120002' + '000000000000c6120002',
  );
});

it('is a broadcast from the sender, who asks for his own address', () => {
  fc.assert(
    fc.property(bytes(6), bytes(4), (mac, address) => {
      const frame = arpAnnouncement(mac, address);
      expect(frame).toHaveLength(14 + 28);
      expect(frame.subarray(0, 6)).toEqual(Buffer.alloc(6, 0xff));
      for (const at of [6, 22]) expect(frame.subarray(at, at + 6)).toEqual(Buffer.from(mac));
      for (const at of [28, 38]) expect(frame.subarray(at, at + 4)).toEqual(Buffer.from(address));
    }),
  );
});
