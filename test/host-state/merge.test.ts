import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { merge } from '../../src/host-state/merge.ts';
import { EMPTY, type HostState } from '../../src/host-state/types.ts';
import { hostState } from './arbitrary.ts';

const PARTS = [
  'links',
  'ends',
  'addresses',
  'routes',
  'neighbours',
  'sysctls',
  'firewall',
  'holds',
  'redirects',
  'residents',
] as const;

const unordered = ({ guard, ...state }: HostState) => ({
  guard,
  ...Object.fromEntries(PARTS.map(part => [part, state[part].map(item => JSON.stringify(item)).sort()])),
});

/** Two states that may share items and never say different things of one. */
const shares = fc.tuple(hostState, fc.infiniteStream(fc.nat(2))).map(([whole, choices]) => {
  const choose = () => Number(choices.next().value);
  const share: [Record<string, unknown>, Record<string, unknown>] = [{}, {}];
  for (const part of PARTS) {
    const given = whole[part].map(item => [item, choose()] as const);
    share[0][part] = given.flatMap(([item, who]) => (who !== 1 ? [item] : []));
    share[1][part] = given.flatMap(([item, who]) => (who !== 0 ? [item] : []));
  }
  const who = choose();
  if (whole.guard !== undefined && who !== 1) share[0]['guard'] = whole.guard;
  if (whole.guard !== undefined && who !== 0) share[1]['guard'] = whole.guard;
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
