import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diff } from '../../src/host-state/diff.ts';
import { addressKey, neighbourKey, routeKey } from '../../src/host-state/keys.ts';
import { EMPTY, type HostState, type Link } from '../../src/host-state/types.ts';
import { Expectations } from '../../src/reconcile/expectations.ts';
import { hostState } from '../host-state/arbitrary.ts';

const items = (state: HostState) => [
  ...state.addresses.map(a => `address ${addressKey(a)}`),
  ...state.routes.map(r => `route ${routeKey(r)}`),
  ...state.neighbours.map(n => `neighbour ${neighbourKey(n)}`),
];
const waits = (link: Link) => link.kind === 'macvlan' && !link.up;

const expectWhole = (expectations: Expectations, state: HostState) => {
  for (const item of items(state)) expect(expectations.has(item)).toBe(true);
  for (const link of state.links)
    expect(expectations.link(link.name)).toEqual(waits(link) ? undefined : { up: link.up });
};
const expectNothing = (expectations: Expectations, state: HostState) => {
  for (const item of items(state)) expect(`${item}: ${expectations.has(item)}`).toBe(`${item}: false`);
  for (const link of state.links) expect(expectations.link(link.name)).toBeUndefined();
};

describe('Expectations', () => {
  it('are the whole desired state after a reset, and nothing of an earlier one', () => {
    fc.assert(
      fc.property(hostState, hostState, (before, state) => {
        const expectations = new Expectations();
        expectations.reset(before);
        expectations.reset(EMPTY);
        expectNothing(expectations, before);
        expectations.reset(state);
        expectWhole(expectations, state);
      }),
    );
  });

  it('are the same after the steps that make a state', () => {
    fc.assert(
      fc.property(hostState, state => {
        const expectations = new Expectations();
        expectations.add(diff(state, EMPTY));
        expectWhole(expectations, state);
      }),
    );
  });

  // The kernel announces the removal of each address of a link that is deleted: all that is tsnet's own doing.
  it('are nothing after the steps that take it away, what went with its link included', () => {
    fc.assert(
      fc.property(hostState, state => {
        const expectations = new Expectations();
        expectations.reset(state);
        expectations.remove(diff(EMPTY, state));
        expectNothing(expectations, state);
      }),
    );
  });
});
