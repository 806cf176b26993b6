import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PortReport } from '../../bench/measure-ports.ts';
import { ENGINES } from '../engine/support/tsnet-host.ts';
import { startProgram } from './run-program.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tsnet-bench-'));
});
afterAll(() => rm(dir, { recursive: true }));

describe.each(ENGINES)('the benchmark of published ports, engine %s', engine => {
  it('has a figure for every case, and leaves nothing', async () => {
    const json = join(dir, `${engine}.json`);
    const small = ['--rounds', '1', '--lives', '2', '--ports', '0', '2', '--engine', engine, '--json', json];
    const { child, labs } = startProgram('bench/ports.ts', ...small);
    const { all, exitCode, stdout } = await child;
    expect(exitCode, all).toBe(0);
    expect(labs()).toEqual([]);

    const { reports } = JSON.parse(readFileSync(json, 'utf8')) as { reports: PortReport[] };
    expect(reports).toHaveLength(1);
    expect(reports[0]?.engine.startsWith(engine)).toBe(true);
    const rows = reports[0]?.rows ?? [];
    expect(rows.map(row => `${row.driver} ${row.ports}`)).toEqual([
      'builtin 0',
      'builtin 2',
      'tsnet 0',
      'tsnet 2',
    ]);
    for (const { life, steps } of rows) {
      expect(life.samples).toBe(2);
      // A container that starts and ends in less has not run.
      for (const step of [life, steps.start, steps.stop]) expect(step.median).toBeGreaterThan(5);
      const parts = Object.values(steps).reduce((sum, { median }) => sum + median, 0);
      // Of two samples the median is the mean, so that the parts make up the whole.
      expect(parts).toBeCloseTo(life.median, 6);
    }
    expect(stdout).toMatch(/^\| 2 ports +\|/m);
  });
});

it.each([
  ['--ports', '-1'],
  ['--ports', '1.5'],
  ['--lives', '0'],
])('refuses %s %s', async (option, value) => {
  const { child } = startProgram('bench/ports.ts', `${option}=${value}`);
  const { exitCode, stderr } = await child;
  expect(exitCode).toBe(1);
  expect(stderr).toContain('a whole number from');
});
