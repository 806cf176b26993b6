import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PortHold } from '../../../src/host-state/types.ts';
import { HoldBook, isWildcard } from '../../../src/kernel/ports/hold-book.ts';

const port = fc.record({
  protocol: fc.constantFrom('tcp' as const, 'udp' as const, 'sctp' as const),
  address: fc.constantFrom('0.0.0.0', '127.0.0.1', '198.18.0.1', '::', '::1', '2001:db8::1'),
  port: fc.integer({ min: 1, max: 3 }),
});

const family = (address: string): string => (address.includes(':') ? 'IPv6' : 'IPv4');
const excludes = (a: PortHold, b: PortHold): boolean =>
  a.protocol === b.protocol &&
  a.port === b.port &&
  family(a.address) === family(b.address) &&
  (a.address === b.address || isWildcard(a.address) || isWildcard(b.address));

describe('HoldBook', () => {
  it('knows what excludes a port, whatever was held and given back before', () => {
    const step = fc.tuple(fc.boolean(), port);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), port, (steps, asked) => {
        const book = new HoldBook<{ hold: PortHold }>();
        let model: PortHold[] = [];
        for (const [add, p] of steps) {
          const hold = { ...p, owner: 'a' };
          const clash = model.some(other => excludes(other, hold));
          expect(book.conflict(p) !== undefined).toBe(clash);
          if (add && !clash) {
            book.set({ hold });
            model.push(hold);
          } else if (!add) {
            book.delete(p);
            model = model.filter(h => JSON.stringify(h) !== JSON.stringify(hold));
          }
        }
        const holds = book.values().map(entry => entry.hold);
        expect(holds).toEqual(expect.arrayContaining(model));
        expect(holds).toHaveLength(model.length);
        expect(book.conflict(asked) !== undefined).toBe(
          model.some(h => excludes(h, { ...asked, owner: 'a' })),
        );
      }),
    );
  });

  it('takes other spellings of an address for the same', () => {
    const book = new HoldBook<{ hold: PortHold }>();
    const hold = { protocol: 'tcp', address: '2001:DB8:0::1', port: 1, owner: 'a' } as const;
    book.set({ hold });
    expect(book.get({ ...hold, address: '2001:db8::1' })?.hold).toBe(hold);
    expect(book.get({ ...hold, address: '2001:db8:0:0::1' })?.hold).toBe(hold);
    book.delete({ ...hold, address: '2001:db8::1' });
    expect(book.values()).toEqual([]);
  });
});
