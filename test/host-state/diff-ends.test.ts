import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diff } from '../../src/host-state/diff.ts';
import { placeKey } from '../../src/host-state/keys.ts';
import { describe as inWords, type Op } from '../../src/host-state/ops.ts';
import { EMPTY, type HostState, type Link, type SandboxEnd } from '../../src/host-state/types.ts';
import { FOREIGN, hostState } from './arbitrary.ts';
import { HostModel } from './host-model.ts';

const PLACE = { sandbox: '/run/docker/netns/1', name: 'eth100' };
const bridge: Link = { kind: 'bridge', name: 'tsb1', alias: 'tsnet:1', up: true };
const parent: Link = { kind: 'dummy', name: 'tsd1', alias: 'tsnet:1', up: true };
const port: Link = {
  kind: 'veth',
  name: 'tsv1',
  alias: 'tsnet:1:e',
  up: true,
  master: 'tsb1',
  peer: { name: 'tsc1' },
  place: PLACE,
};
const child: Link = {
  kind: 'macvlan',
  name: 'tsc1',
  alias: 'tsnet:1:e',
  parent: 'tsd1',
  macvlanMode: 'bridge',
  up: false,
  place: PLACE,
};
const end: SandboxEnd = {
  ...PLACE,
  madeAs: 'tsc1',
  mac: '02:00:00:00:00:01',
  addresses: ['198.18.0.9/24'],
  sysctls: [],
  announce: { count: 3, intervalMs: 1000 },
};
const KINDS: [string, Link, Link][] = [
  ['veth', bridge, port],
  ['macvlan', parent, child],
];
const steps = (to: Partial<HostState>, from: Partial<HostState>): Op[] =>
  diff({ ...EMPTY, ...to }, { ...EMPTY, ...from });
const SET = `~link eth100 in ${PLACE.sandbox}`;

describe.each(KINDS)('a %s that is made inside a sandbox', (_, under, link) => {
  const wanted = { links: [under, link], ends: [end] };

  it('is made, and then set up', () => {
    const ops = steps(wanted, { links: [under] });
    expect(ops.map(inWords)).toEqual([inWords({ op: 'link.add', link }), SET]);
    expect(ops[0]).toEqual({ op: 'link.add', link });
    expect(ops[1]).toEqual({ op: 'end.set', end });
  });

  it('is removed with its end, in one step that says where it is', () => {
    expect(steps({ links: [under] }, wanted)).toEqual([
      { op: 'link.delete', name: link.name, alias: link.alias, place: PLACE },
    ]);
  });

  it('is nothing to be done as long as both are there', () => {
    expect(steps(wanted, wanted)).toEqual([]);
  });

  it('is set up again where the end is not as it should be, and the link stays', () => {
    expect(steps(wanted, { links: [under, link] })).toEqual([{ op: 'end.set', end }]);
    const other = { ...end, addresses: [] };
    expect(steps(wanted, { ...wanted, ends: [other] })).toEqual([{ op: 'end.set', end }]);
  });

  it('is set up when it is made anew, whatever there was before', () => {
    expect(steps(wanted, { links: [under], ends: [end] }).map(op => op.op)).toEqual(['link.add', 'end.set']);
  });

  it('is set up when it was another’s', () => {
    const before = { ...wanted, links: [under, { ...link, alias: 'tsnet:1:f' }] };
    expect(steps(wanted, before)).toEqual([
      { op: 'link.delete', name: link.name, alias: 'tsnet:1:f', place: PLACE },
      { op: 'link.add', link },
      { op: 'end.set', end },
    ]);
  });

  it('is not made anew where nobody can see where its far end is', () => {
    const { place: _place, ...seen } = link as typeof port;
    expect(steps(wanted, { links: [under, seen], ends: [end] })).toEqual([]);
  });
});

describe('a link that the engine moves', () => {
  it('is removed without a place', () => {
    const { place: _place, ...moved } = port;
    expect(steps({ links: [bridge] }, { links: [bridge, moved] })).toEqual([
      { op: 'link.delete', name: 'tsv1', alias: 'tsnet:1:e' },
    ]);
  });
});

describe('a macvlan inside whose parent is made anew', () => {
  it('is made and set up anew as well, for it went with its parent', () => {
    const wanted = { links: [parent, child], ends: [end] };
    const ops = steps(wanted, { ...wanted, links: [{ ...parent, alias: 'tsnet:old' }, child] });
    expect(ops.map(op => op.op)).toEqual(['link.delete', 'link.add', 'link.add', 'end.set']);
  });
});

describe('interfaces inside sandboxes', { timeout: 60_000 }, () => {
  const sorted = (ends: Iterable<SandboxEnd>) => [...ends].map(one => JSON.stringify(one)).sort();

  it('are as they are wanted after the steps from any state to any other', () => {
    fc.assert(
      fc.property(hostState, hostState, (to, from) => {
        const model = new HostModel(from, FOREIGN);
        for (const op of diff(to, from)) model.step(op);
        expect(sorted(model.ends.values())).toEqual(sorted(to.ends));
      }),
      { numRuns: 600 },
    );
  });

  it('are set up once, after their links are made and the firewall is as it is to be', () => {
    fc.assert(
      fc.property(hostState, hostState, (to, from) => {
        const ops = diff(to, from);
        const set = ops.flatMap((op, index) =>
          op.op === 'end.set' ? [{ key: placeKey(op.end), index }] : [],
        );
        expect(new Set(set.map(({ key }) => key)).size).toBe(set.length);
        for (const [index, op] of ops.entries()) {
          const comes = op.op === 'link.add' || (op.op === 'firewall' && op.add.length > 0);
          if (comes) for (const each of set) expect(each.index).toBeGreaterThan(index);
        }
      }),
      { numRuns: 600 },
    );
  });

  it('are told of in every removal', () => {
    fc.assert(
      fc.property(hostState, from => {
        const places = new Map(
          from.links.map(link => [link.name, 'place' in link ? link.place : undefined] as const),
        );
        for (const op of diff(EMPTY, from))
          if (op.op === 'link.delete') expect(op.place).toEqual(places.get(op.name));
      }),
    );
  });
});
