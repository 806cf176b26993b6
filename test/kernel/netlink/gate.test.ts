import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Gate } from '../../../src/kernel/netlink/gate.ts';

describe('a gate', () => {
  it('runs all, in order, never more than its limit at a time, whatever fails', async () => {
    const action = fc.record({ turns: fc.nat(4), fails: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(action), async (limit, actions) => {
        const gate = new Gate(limit);
        const started: number[] = [];
        let running = 0;
        const results = await Promise.allSettled(
          actions.map(({ turns, fails }, i) =>
            gate.run(async () => {
              started.push(i);
              expect(++running).toBeLessThanOrEqual(limit);
              for (let turn = 0; turn < turns; turn++) await Promise.resolve();
              running--;
              if (fails) throw new Error('failed');
            }),
          ),
        );
        expect(results.map(result => result.status === 'rejected')).toEqual(
          actions.map(({ fails }) => fails),
        );
        expect(started).toEqual(actions.map((_, i) => i));
      }),
    );
  });
});
