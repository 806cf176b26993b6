import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { internetChecksum } from '../../../src/kernel/advertise/internet-checksum.ts';
import { neighbourAdvertisement } from '../../../src/kernel/advertise/neighbour-advertisement.ts';
import { addressBytes, macBytes } from '../../../src/kernel/rtnetlink/notation.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const ALL_NODES = Buffer.from('ff020000000000000000000000000001', 'hex');

describe('an unsolicited neighbour advertisement', () => {
  it('is, to the byte, what tcpdump calls one with override and a right sum', () => {
    const frame = neighbourAdvertisement(macBytes('02:42:0a:0b:0c:0d'), addressBytes('2001:db8::2:a').bytes);
    expect(frame.toString('hex')).toBe(
      '33330000000102420a0b0c0d86dd' +
        '6000000000203aff' +
        '20010db800000000000000000002000a' +
        'ff020000000000000000000000000001' +
        '8800e2bb20000000' +
        '20010db800000000000000000002000a' +
        '020102420a0b0c0d',
    );
  });

  it('goes from the address to all nodes, and names address and MAC, with a valid checksum', () => {
    fc.assert(
      fc.property(bytes(6), bytes(16), (mac, address) => {
        const frame = neighbourAdvertisement(mac, address);
        const packet = frame.subarray(14);
        const icmp = packet.subarray(40);
        expect(frame.subarray(0, 12)).toEqual(Buffer.of(0x33, 0x33, 0, 0, 0, 1, ...mac));
        expect(packet.readUInt16BE(4)).toBe(icmp.length);
        expect(packet[7]).toBe(255);
        expect(packet.subarray(8, 24)).toEqual(Buffer.from(address));
        expect(packet.subarray(24, 40)).toEqual(ALL_NODES);
        expect(icmp.subarray(8, 24)).toEqual(Buffer.from(address));
        expect(icmp.subarray(26)).toEqual(Buffer.from(mac));
        const pseudoHeader = [packet.subarray(8, 40), Uint8Array.of(0, 0, 0, icmp.length, 0, 0, 0, 58)];
        expect(internetChecksum(Buffer.concat([...pseudoHeader, icmp]))).toBe(0);
      }),
    );
  });
});

describe('the internet checksum', () => {
  it('is that of the example in RFC 1071 section 3', () => {
    expect(internetChecksum(Buffer.from('0001f203f4f5f6f7', 'hex'))).toBe(~0xddf2 & 0xffff);
  });

  it('takes an odd number of bytes for padded with 0', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 65 }), data => {
        expect(internetChecksum(data)).toBe(internetChecksum(Uint8Array.of(...data, 0)));
      }),
    );
  });

  it('notices every bit that is turned over', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), fc.nat(), (data, n) => {
        const bit = n % (8 * data.length);
        const other = data.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
        expect(internetChecksum(other)).not.toBe(internetChecksum(data));
      }),
    );
  });
});
