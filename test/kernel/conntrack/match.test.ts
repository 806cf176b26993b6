import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FlowMatch } from '../../../src/host-state/flows.ts';
import type { Flow, Tuple } from '../../../src/kernel/conntrack/flow.ts';
import { commonOf, fitsAny, type Pattern, patternsOf } from '../../../src/kernel/conntrack/match.ts';
import { present } from '../../../src/present.ts';

// Few values, so that much of what is drawn meets.
const address = fc.constantFrom('198.18.0.1', '198.18.0.2', '2001:db8::2');
const port = fc.option(fc.integer({ min: 80, max: 82 }), { nil: undefined });
const tuple: fc.Arbitrary<Tuple> = fc.record({
  source: address,
  destination: address,
  protocol: fc.constantFrom(6, 17),
  sourcePort: port,
  destinationPort: port,
});
const flow: fc.Arbitrary<Flow> = fc.record({ original: tuple, reply: tuple });
const match: fc.Arbitrary<FlowMatch> = fc
  .record({
    protocol: fc.constantFrom('tcp' as const, 'udp' as const),
    container: fc.option(address, { nil: undefined }),
    containerPort: port,
    hostPort: port,
  })
  .map(fields => ({ family: 4 as const, ...present(fields) }));
const patterns = fc.array(match, { maxLength: 6 }).map(matches => matches.flatMap(patternsOf));

/** As Pattern says it, one after the other. */
const fits = (pattern: Pattern, { original, reply }: Flow): boolean =>
  Object.entries(pattern.original).every(([field, value]) => original[field as keyof Tuple] === value) &&
  Object.entries(pattern.reply).every(([field, value]) => reply[field as keyof Tuple] === value) &&
  (pattern.untranslated !== true ||
    (reply.source === original.destination && reply.sourcePort === original.destinationPort));

describe('fitsAny', () => {
  it('finds what fits one of the patterns, and nothing else', () => {
    const found = { yes: 0, no: 0 };
    fc.assert(
      fc.property(patterns, fc.array(flow, { minLength: 1 }), (all, flows) => {
        const isWanted = fitsAny(all);
        for (const one of flows) {
          const expected = all.some(pattern => fits(pattern, one));
          found[expected ? 'yes' : 'no'] += 1;
          expect(isWanted(one)).toBe(expected);
        }
      }),
      { numRuns: 1000 },
    );
    expect(Math.min(found.yes, found.no)).toBeGreaterThan(50);
  });
});

describe('commonOf', () => {
  it('is fitted by whatever fits one of the patterns', () => {
    fc.assert(
      fc.property(patterns, flow, (all, one) => {
        fc.pre(fitsAny(all)(one));
        expect(fits(commonOf(all), one)).toBe(true);
      }),
    );
  });

  it('has what the ports of one container have in common', () => {
    const ports = [80, 81].flatMap(containerPort =>
      patternsOf({
        family: 4,
        protocol: 'tcp',
        container: '198.18.0.2',
        containerPort,
        hostPort: 8000 + containerPort,
      }),
    );
    expect(commonOf(ports)).toEqual({
      original: { protocol: 6 },
      reply: { protocol: 6, source: '198.18.0.2' },
    });
  });

  it('is nothing for patterns of two containers, and for none', () => {
    const two = ['198.18.0.1', '198.18.0.2'].flatMap(container => patternsOf({ family: 4, container }));
    expect(commonOf(two)).toEqual({ original: {}, reply: {} });
    expect(commonOf([])).toEqual({ original: {}, reply: {} });
  });
});
