import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUILTIN_BRIDGE, DRIVER_CASES, isTsnet, LIFE_CASES } from '../../bench/cases.ts';
import { MEASURE_NAMES, type MeasureName, type Report } from '../../bench/report.ts';
import { backToBack, STAYS, TAKEN_OVER } from '../../bench/scenarios.ts';
import { ENGINES } from '../engine/support/tsnet-host.ts';
import { startProgram } from './run-program.ts';

/** As little as there can be of each measure. */
const SMALL = [
  '--rounds=1',
  '--connects=2',
  '--lives=1',
  ...['--ports', '0', '2'],
  '--networks=1',
  '--containers=3',
];
const names = (all: readonly { readonly name: string }[]) => all.map(({ name }) => name);
const DRIVERS = names(DRIVER_CASES);
const AT_BOTH = [TAKEN_OVER, STAYS].flatMap(scenario => DRIVERS.map(name => `${name}, ${scenario}`));
const AT_BOTH_PACES = [...AT_BOTH, ...AT_BOTH.map(backToBack)];
/** Everything that a report has to have, by measure. */
const EXPECTED: Readonly<
  Record<MeasureName, { subjects: readonly string[]; operations: readonly string[] }>
> = {
  life: {
    subjects: [
      ...names(LIFE_CASES).map(name => `${name}, 0 ports`),
      ...names(LIFE_CASES.filter(one => isTsnet(one) || one === BUILTIN_BRIDGE)).map(
        name => `${name}, 2 ports`,
      ),
    ],
    operations: ['life', 'create', 'start', 'stop', 'remove'],
  },
  connect: { subjects: AT_BOTH_PACES, operations: ['connect', 'disconnect', 'settled'] },
  network: {
    subjects: DRIVERS.map(name => `${name}, no containers`),
    operations: ['create', 'delete', 'settled'],
  },
  storm: { subjects: AT_BOTH, operations: ['connect', 'disconnect', 'settled'] },
};

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tsnet-bench-'));
});
afterAll(() => rm(dir, { recursive: true }));

describe.each(ENGINES)('the benchmark, engine %s', engine => {
  it('has a figure for every case, draws it, and leaves nothing', async () => {
    const [json, svg] = [join(dir, `${engine}.json`), join(dir, `${engine}.svg`)];
    const files = ['--engine', engine, '--json', json, '--svg', svg];
    const { child, labs } = startProgram('bench/bench.ts', '--targets', ...SMALL, ...files);
    const { all, exitCode, stdout } = await child;
    expect(exitCode, all).toBe(0);
    expect(labs()).toEqual([]);

    const { engines } = JSON.parse(readFileSync(json, 'utf8')) as Report;
    expect(engines).toHaveLength(1);
    expect(engines[0]?.engine.startsWith(engine)).toBe(true);
    const measures = engines[0]?.measures ?? [];
    expect(measures.map(({ measure }) => measure)).toEqual(MEASURE_NAMES);
    for (const { measure, rows, calls } of measures) {
      const { subjects, operations } = EXPECTED[measure];
      expect(rows.map(row => `${row.case}, ${row.scenario}: ${row.operation}`)).toEqual(
        subjects.flatMap(subject => operations.map(operation => `${subject}: ${operation}`)),
      );
      for (const { operation, figures } of rows) {
        if (operation === 'settled') continue;
        // an engine that answers within a tenth of a millisecond has done nothing
        for (const value of [figures.median, figures.p90, ...figures.spread])
          expect(value).toBeGreaterThan(0.1);
      }
      const compared = rows.filter(row => row.case === 'tsnet bridge');
      expect(compared.length).toBeGreaterThan(0);
      for (const { ratios } of compared) expect(ratios.builtin).toBeGreaterThan(0);
      for (const { p50, p99, max } of calls) expect(p50 <= p99 && p99 <= max && p50 > 0).toBe(true);
    }
    const sums = measures.find(({ measure }) => measure === 'connect')?.calls ?? [];
    // two pairs of connect and disconnect in each place of the gateway, at either pace, in each mode
    expect(sums.filter(({ call }) => call.startsWith('all calls')).map(({ count }) => count)).toEqual(
      Array(8).fill(2),
    );
    expect(stdout).toMatch(/^\| connect, ms +\| +median \|/m);
    expect(stdout).toMatch(/: connect, gateway stays +\| +≤ 0\.\d+ \|/);
    expect(readFileSync(svg, 'utf8')).toContain(`Docker Engine ${engine}`);
  });
});

it.each([
  ['--rounds', '0'],
  ['--ports', '-1'],
  ['--ports', '1.5'],
  ['--lives', '0'],
])('refuses %s %s', async (option, value) => {
  const { child } = startProgram('bench/bench.ts', `${option}=${value}`);
  const { exitCode, stderr } = await child;
  expect(exitCode).toBe(1);
  expect(stderr).toContain('a whole number from');
});
