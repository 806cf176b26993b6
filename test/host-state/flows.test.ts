import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FlowMatch, flowsAfter, flowsOfResident } from '../../src/host-state/flows.ts';
import type { FirewallElement } from '../../src/host-state/types.ts';
import { elements, mapping } from './arbitrary.ts';

/** A tracked connection as conntrack has it: where its first packet was sent, and who answers. */
interface Flow {
  readonly family: 4 | 6;
  readonly protocol: string;
  readonly hostPort: number;
  readonly answers: string;
  readonly answersPort: number;
}

/** What a client's first packet makes: through a mapping, or, before there is one, with the host itself. */
const flowThrough = ({ set, key, value }: FirewallElement, host?: string): Flow => ({
  family: set.endsWith('4') ? 4 : 6,
  protocol: key.at(-2) ?? '',
  hostPort: Number(key.at(-1)),
  answers: host ?? value?.[0] ?? '',
  answersPort: Number(host === undefined ? value?.[1] : key.at(-1)),
});

const matches = (flow: Flow, match: FlowMatch): boolean =>
  flow.family === match.family &&
  (match.protocol === undefined || match.protocol === flow.protocol) &&
  (match.hostPort === undefined || match.hostPort === flow.hostPort) &&
  (match.container === undefined || match.container === flow.answers) &&
  (match.containerPort === undefined || match.containerPort === flow.answersPort);
const survives = (flow: Flow, forgotten: readonly FlowMatch[]) =>
  !forgotten.some(match => matches(flow, match));

describe('the connections that a change of published ports ends', () => {
  it('are all those through a mapping that is gone', () => {
    fc.assert(
      fc.property(elements, fc.array(mapping), (added, removed) => {
        const forgotten = flowsAfter(added, removed);
        for (const element of removed) expect(survives(flowThrough(element), forgotten)).toBe(false);
      }),
    );
  });

  it('are UDP exchanges with the host on a port that is published from now on, but no TCP connections', () => {
    fc.assert(
      fc.property(fc.array(mapping), added => {
        const forgotten = flowsAfter(added, []);
        for (const element of added) {
          const before = flowThrough(element, '203.0.113.1');
          expect(survives(before, forgotten)).toBe(before.protocol !== 'udp');
        }
      }),
    );
  });

  it('are none of other containers, and none on other ports of the container', () => {
    fc.assert(
      fc.property(fc.array(mapping), mapping, (removed, element) => {
        const flow = flowThrough(element);
        const isOther = removed.every(one => {
          const { answers, answersPort, protocol } = flowThrough(one);
          return answers !== flow.answers || answersPort !== flow.answersPort || protocol !== flow.protocol;
        });
        fc.pre(isOther);
        expect(survives(flow, flowsAfter([], removed))).toBe(true);
      }),
    );
  });

  it('do not depend on elements that redirect nothing', () => {
    const others: FirewallElement[] = [
      { set: 'bridges', key: ['tsb1'] },
      { set: 'guest4', key: ['br0', '198.18.0.2'] },
      { set: 'published_source4', key: ['tss1', '198.18.0.2'], value: ['198.18.0.1'] },
      { set: 'open4', key: ['198.18.0.2', 'udp', '53'] },
      { set: 'allow_from6', key: ['2001:db8::2', '2001:db8:1::/48'] },
    ];
    expect(flowsAfter(others, others)).toEqual([]);
  });

  it.each([
    ['198.18.0.2', 4],
    ['2001:db8::2', 6],
  ])('of a container that is gone are all of %s', (address, family) => {
    expect(flowsOfResident(address)).toEqual({ family, container: address });
  });
});
