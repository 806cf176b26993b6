import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeMessage } from '../../src/kernel/netlink/message.ts';
import { changesIn } from '../../src/kernel/nft/changes.ts';

const NEWTABLE = 0xa00;
const NEWGEN = 0xa0f;

/** A notification: nfgenmsg, then the table's name as attribute 1. */
function notification(type: number, port: number, family: number, table: string): Buffer {
  const name = Buffer.from(`${table}\0`);
  const attribute = Buffer.alloc(4 + Math.ceil(name.length / 4) * 4);
  attribute.writeUInt16LE(4 + name.length, 0);
  attribute.writeUInt16LE(1, 2);
  attribute.set(name, 4);
  const payload = Buffer.concat([Buffer.from([family, 0, 0, 0]), attribute]);
  return encodeMessage({ type, flags: 0, sequence: 0, port, payload });
}

describe('changesIn', () => {
  test('family and table of every message', () => {
    const datagram = Buffer.concat([
      notification(NEWTABLE, 7, 1, 'tsnet'),
      notification(NEWTABLE + 6, 7, 2, 'filter'),
      notification(NEWTABLE + 9, 7, 10, 'filter'),
      notification(NEWTABLE, 7, 99, 'x'),
    ]);
    expect(changesIn(datagram, [8])).toEqual([
      { family: 'inet', table: 'tsnet' },
      { family: 'ip', table: 'filter' },
      { family: 'ip6', table: 'filter' },
      { family: '99', table: 'x' },
    ]);
  });

  test('leaves out own changes, ends of transactions and other subsystems', () => {
    const datagram = Buffer.concat([
      notification(NEWTABLE, 7, 1, 'own'),
      notification(NEWGEN, 8, 0, ''),
      notification(0x100, 8, 2, 'conntrack'),
    ]);
    expect(changesIn(datagram, [8, 7])).toEqual([]);
  });

  test('takes any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
        expect(Array.isArray(changesIn(Buffer.from(bytes), []))).toBe(true);
      }),
    );
  });
});
