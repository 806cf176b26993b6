import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { merge } from '../../src/host-state/merge.ts';
import { EMPTY, type HostState } from '../../src/host-state/types.ts';
import { hostState } from './arbitrary.ts';

const PARTS = ['links', 'addresses', 'routes', 'neighbours', 'sysctls', 'firewall'] as const;

const unordered = (state: HostState) =>
  Object.fromEntries(PARTS.map(part => [part, state[part].map(item => JSON.stringify(item)).sort()]));

/** Two states that may share items and never say different things of one. */
const shares = fc.tuple(hostState, fc.infiniteStream(fc.nat(2))).map(([whole, choices]) => {
  const choose = () => Number(choices.next().value);
  const share: [Record<string, object[]>, Record<string, object[]>] = [{}, {}];
  for (const part of PARTS) {
    share[0][part] = [];
    share[1][part] = [];
    for (const item of whole[part]) {
      const who = choose();
      if (who !== 1) share[0][part].push(item);
      if (who !== 0) share[1][part].push(item);
    }
  }
  return { whole, a: share[0] as unknown as HostState, b: share[1] as unknown as HostState };
});

describe('merge', () => {
  it('is the union of its parts, whatever they share', () => {
    fc.assert(
      fc.property(shares, ({ whole, a, b }) => {
        expect(unordered(merge([a, b]))).toEqual(unordered(whole));
      }),
    );
  });

  it('does not depend on the order of its parts', () => {
    fc.assert(
      fc.property(shares, ({ a, b }) => {
        expect(unordered(merge([a, b]))).toEqual(unordered(merge([b, a])));
      }),
    );
  });

  it('of a state with itself, or with nothing, is the state', () => {
    fc.assert(
      fc.property(hostState, state => {
        expect(merge([state])).toEqual(state);
        expect(merge([state, state])).toEqual(state);
        expect(merge([EMPTY, state])).toEqual(state);
        expect(merge([state, EMPTY])).toEqual(state);
      }),
    );
  });

  it('of nothing is empty', () => {
    expect(merge([])).toEqual(EMPTY);
  });
});
