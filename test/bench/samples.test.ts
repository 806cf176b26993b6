import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BUILTIN_BRIDGE,
  BUILTIN_MACVLAN,
  DRIVER_CASES,
  FLOOR,
  LIFE_CASES,
  NONE,
  TSNET_BRIDGE,
  TSNET_MACVLAN,
} from '../../bench/cases.ts';
import { interleaved } from '../../bench/plan.ts';
import { Samples } from '../../bench/samples.ts';

describe('Samples', () => {
  const subjects = ['0 ports', '50 ports'].flatMap(scenario =>
    [NONE, FLOOR, BUILTIN_BRIDGE, TSNET_BRIDGE, TSNET_MACVLAN].map(one => ({ scenario, one })),
  );

  /** @param figures medians, by case and scenario */
  function rowsOf(figures: Readonly<Record<string, number>>) {
    const samples = new Samples(subjects, ['life']);
    for (const subject of subjects.toReversed()) {
      const ms = figures[`${subject.one.name}, ${subject.scenario}`];
      // the median is the middle one of all rounds
      if (ms !== undefined)
        [ms, ms * 3, ms / 2].map((value, k) => samples.add(subject, 'life', k + 1, value));
    }
    return samples.rows();
  }

  it('compares each case with the builtin, the floor, none and itself without ports', () => {
    const rows = rowsOf({
      '--network none, 0 ports': 100,
      'floor: a driver that does nothing, 0 ports': 110,
      'builtin bridge, 0 ports': 200,
      'tsnet bridge, 0 ports': 150,
      'builtin bridge, 50 ports': 3000,
      'tsnet bridge, 50 ports': 180,
    });
    const named = Object.fromEntries(rows.map(row => [`${row.case}, ${row.scenario}`, row.ratios]));
    expect(named).toEqual({
      '--network none, 0 ports': { builtin: 0.5, floor: expect.closeTo(100 / 110) },
      'floor: a driver that does nothing, 0 ports': { builtin: 0.55, none: 1.1 },
      'builtin bridge, 0 ports': { floor: expect.closeTo(200 / 110), none: 2 },
      'tsnet bridge, 0 ports': { builtin: 0.75, floor: expect.closeTo(150 / 110), none: 1.5 },
      'builtin bridge, 50 ports': { 'no ports': 15 },
      'tsnet bridge, 50 ports': { builtin: 0.06, 'no ports': 1.2 },
    });
  });

  it('keeps the order of the subjects, and leaves out what was not measured', () => {
    const rows = rowsOf({ 'tsnet macvlan, 50 ports': 3, 'tsnet bridge, 0 ports': 2 });
    expect(rows.map(row => row.case)).toEqual(['tsnet bridge', 'tsnet macvlan']);
    expect(rows[1]).toMatchObject({ ratios: {}, figures: { median: 3, spread: [1.5, 9], samples: 3 } });
  });

  it('keeps rounds apart', () => {
    const samples = new Samples(subjects, ['life']);
    const subject = { scenario: '0 ports', one: TSNET_BRIDGE };
    samples.add(subject, 'life', 1, 1, 3);
    samples.add(subject, 'life', 2, 10);
    samples.add(subject, 'life', 1, 5);
    expect(samples.rows()[0]?.figures).toMatchObject({ spread: [3, 10], samples: 4 });
  });
});

describe('the cases', () => {
  it('have names, networks and subnets of their own', () => {
    const all = [...new Set([...LIFE_CASES, ...DRIVER_CASES])];
    for (const value of ['name', 'slug'] as const)
      expect(new Set(all.map(one => one[value])).size).toBe(all.length);
    const subnets = all.flatMap(({ network }) => (network === undefined ? [] : [network.subnet]));
    expect(new Set(subnets).size).toBe(subnets.length);
  });

  it('are compared with a case that is measured too, of the same kind', () => {
    for (const one of LIFE_CASES.filter(({ builtin }) => builtin !== undefined)) {
      expect(LIFE_CASES.map(({ name }) => name)).toContain(one.builtin);
    }
    expect(TSNET_MACVLAN.builtin).toBe(BUILTIN_MACVLAN.name);
    expect(TSNET_BRIDGE.builtin).toBe(BUILTIN_BRIDGE.name);
  });
});

describe('interleaved', () => {
  it('keeps everything, and begins at another one each time', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat()), fc.nat(), (all, turn) => {
        const turned = interleaved(all, turn);
        expect(turned.toSorted()).toEqual(all.toSorted());
        if (all.length > 0) expect(turned[0]).toBe(all[turn % all.length]);
      }),
    );
  });

  it('changes what follows on what', () => {
    const behind = (turn: number) => {
      const order = interleaved(DRIVER_CASES, turn);
      return order[(order.indexOf(TSNET_BRIDGE) + 1) % order.length];
    };
    expect(new Set([0, 1, 2, 3].map(behind)).size).toBe(4);
  });
});
