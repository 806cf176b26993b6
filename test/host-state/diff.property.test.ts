import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diff } from '../../src/host-state/diff.ts';
import { holdKey } from '../../src/host-state/keys.ts';
import type { Op } from '../../src/host-state/ops.ts';
import type { HostState, Link, PortHold, VethLink } from '../../src/host-state/types.ts';
import { FOREIGN, hostState } from './arbitrary.ts';
import { HostModel, linkOfSysctl } from './host-model.ts';

const RUNS = { numRuns: 600 };

const applied = (ops: readonly Op[], from: HostState): HostModel => {
  const model = new HostModel(from, FOREIGN);
  for (const op of ops) model.step(op);
  return model;
};

/** What the desired link says, read off the link that is there: what it leaves open is the kernel's choice. */
const asFarAsWanted = (wanted: Link, there: Link | undefined, before: Link | undefined) => {
  if (there === undefined) return undefined;
  const seen: Record<string, unknown> = { ...there };
  for (const open of ['mtu', 'mac'] as const) if (wanted[open] === undefined) delete seen[open];
  // A macvlan that stays keeps the MAC that it was born with, for its neighbours hold it.
  if (wanted.kind === 'macvlan' && wanted.mac !== undefined && there.mac === before?.mac)
    seen['mac'] = wanted.mac;
  if (wanted.kind === 'veth' && there.kind === 'veth') {
    // Both are properties of a bridge port, and off is as good as unset; the peer is in its container.
    Object.assign(seen, portFlags(there));
    seen['peer'] = wanted.peer;
  }
  return seen;
};
const portFlags = ({ master, isolated, hairpin }: VethLink) => ({
  isolated: master !== undefined && (isolated ?? false),
  hairpin: master !== undefined && (hairpin ?? false),
});
const plain = (link: Link) => (link.kind === 'veth' ? { ...link, ...portFlags(link) } : link);

const samePort = (a: PortHold, b: PortHold) => a.protocol === b.protocol && a.port === b.port;
const sorted = (items: readonly object[]) => items.map(item => JSON.stringify(item)).sort();

const expectEqual = (model: HostModel, wanted: HostState, from: HostState) => {
  const before = new Map(from.links.map(link => [link.name, link]));
  expect([...model.links.keys()].sort()).toEqual(wanted.links.map(link => link.name).sort());
  for (const link of wanted.links)
    expect(asFarAsWanted(link, model.links.get(link.name), before.get(link.name))).toEqual(plain(link));
  const there = model.state();
  expect(sorted(there.addresses)).toEqual(sorted(wanted.addresses));
  expect(sorted(there.routes)).toEqual(sorted(wanted.routes));
  expect(sorted(there.neighbours)).toEqual(sorted(wanted.neighbours));
  expect(sorted(there.firewall)).toEqual(sorted(wanted.firewall));
  expect(sorted(there.holds)).toEqual(sorted(wanted.holds));
  expect(sorted(there.redirects)).toEqual(sorted(wanted.redirects));
  expect(there.guard).toEqual(wanted.guard);
  // A sysctl is never put back: what it was before is not known.
  expect(sorted(there.sysctls)).toEqual(expect.arrayContaining(sorted(wanted.sysctls)));
};

describe('diff', { timeout: 60_000 }, () => {
  it('leads from any state to any other, each step possible in its turn', () => {
    fc.assert(
      fc.property(hostState, hostState, (to, from) => {
        expectEqual(applied(diff(to, from), from), to, from);
      }),
      RUNS,
    );
  });

  it('has nothing to do between equal states', () => {
    fc.assert(
      fc.property(hostState, state => {
        expect(diff(state, state)).toEqual([]);
      }),
      RUNS,
    );
  });

  it('has nothing left to do after its own steps', () => {
    fc.assert(
      fc.property(hostState, hostState, (to, from) => {
        expect(diff(to, applied(diff(to, from), from).state())).toEqual([]);
      }),
      RUNS,
    );
  });

  it('puts firewall elements in before any link changes and takes them out after', () => {
    fc.assert(
      fc.property(hostState, hostState, (to, from) => {
        const ops = diff(to, from);
        const places = (test: (op: Op) => boolean) => ops.flatMap((op, index) => (test(op) ? [index] : []));
        const onLinks = places(op => /^(link|address|route|neighbour|sysctl)\./.test(op.op));
        const added = places(op => op.op === 'firewall' && op.add.length > 0);
        const removed = places(op => op.op === 'firewall' && op.add.length === 0);
        expect(added.length).toBeLessThanOrEqual(1);
        expect(removed.length).toBeLessThanOrEqual(1);
        expect(Math.max(...added)).toBeLessThan(Math.min(...onLinks, ...removed));
        expect(Math.min(...removed)).toBeGreaterThan(Math.max(...onLinks));
      }),
      RUNS,
    );
  });

  it('redirects a port only while it holds it', () => {
    fc.assert(
      fc.property(hostState, hostState, (to, from) => {
        const ops = diff(to, from);
        const first = ops.findIndex(op => op.op.startsWith('firewall'));
        const last = ops.findLastIndex(op => op.op.startsWith('firewall'));
        const wanted = new Set(to.holds.map(holdKey));
        for (const [index, op] of ops.entries()) {
          if (op.op === 'hold.add' && first >= 0) expect(index).toBeLessThan(first);
          const makesRoom =
            op.op === 'hold.delete' &&
            (wanted.has(holdKey(op.hold)) || to.holds.some(hold => samePort(hold, op.hold)));
          if (op.op === 'hold.delete' && !makesRoom) expect(index).toBeGreaterThan(last);
        }
      }),
      RUNS,
    );
  });

  it('forgets connections last of all, when the rules are as they are to be', () => {
    fc.assert(
      fc.property(hostState, hostState, (to, from) => {
        const ops = diff(to, from);
        const places = ops.flatMap((op, index) => (op.op === 'flows.forget' ? [index] : []));
        expect([[], [ops.length - 1]]).toContainEqual(places);
      }),
      RUNS,
    );
  });

  it('forgets the connections of every container that is gone, and of no other', () => {
    fc.assert(
      fc.property(hostState, hostState, (to, from) => {
        const bare = { firewall: [] };
        const model = applied(diff({ ...to, ...bare }, { ...from, ...bare }), { ...from, ...bare });
        const gone = from.residents.filter(address => !to.residents.includes(address));
        expect(model.forgotten.map(flow => flow.container).sort()).toEqual(gone.sort());
      }),
      RUNS,
    );
  });

  it('deletes a link before the one that it hangs on', () => {
    fc.assert(
      fc.property(hostState, hostState, (to, from) => {
        const place = new Map(
          diff(to, from).flatMap((op, index) => (op.op === 'link.delete' ? [[op.name, index] as const] : [])),
        );
        for (const link of from.links) {
          const under =
            link.kind === 'macvlan' ? link.parent : link.kind === 'veth' ? link.master : undefined;
          const [own, other] = [place.get(link.name), place.get(under ?? '')];
          if (own !== undefined && other !== undefined) expect(own).toBeLessThan(other);
        }
      }),
      RUNS,
    );
  });

  it('brings a new link up only after its sysctls are set', () => {
    fc.assert(
      fc.property(hostState, hostState, (to, from) => {
        const model = new HostModel(from, FOREIGN);
        for (const op of diff(to, from)) {
          model.step(op);
          const made = op.op === 'link.add' || op.op === 'link.set' ? op.link.name : undefined;
          const isNew = made !== undefined && !from.links.some(link => link.name === made);
          if (!isNew || model.links.get(made)?.up !== true) continue;
          for (const sysctl of to.sysctls.filter(s => linkOfSysctl(s.path) === made))
            expect(model.sysctls.get(sysctl.path)).toBe(sysctl.value);
        }
      }),
      RUNS,
    );
  });

  it('rebuilds a table that is not whole, once and first, instead of changing elements of it', () => {
    fc.assert(
      fc.property(hostState, hostState, (to, from) => {
        const ops = diff(to, { ...from, firewallIntact: false });
        const rebuild = { op: 'firewall.rebuild', elements: to.firewall, guard: to.guard };
        expect(ops.filter(op => op.op.startsWith('firewall'))).toEqual([rebuild]);
        const rest = (all: readonly Op[]) => all.filter(op => !/^(firewall|flows)/.test(op.op));
        expect(rest(ops)).toEqual(rest(diff(to, from)));
        const place = ops.findIndex(op => op.op === 'firewall.rebuild');
        expect(ops.slice(0, place).filter(op => !/^(hold\.|flows\.settle)/.test(op.op))).toEqual([]);
      }),
      RUNS,
    );
  });
});
