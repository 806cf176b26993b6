import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CASES, VARIANTS } from '../../bench/cases.ts';
import type { EngineReport } from '../../bench/measure-engine.ts';
import { ENGINES } from '../engine/support/tsnet-host.ts';
import { startProgram } from './run-program.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tsnet-bench-'));
});
afterAll(() => rm(dir, { recursive: true }));

describe.each(ENGINES)('the benchmark, engine %s', engine => {
  it('has a figure for every case, and leaves nothing', async () => {
    const json = join(dir, `${engine}.json`);
    const small = ['--rounds', '1', '--connects', '2', '--engine', engine, '--json', json];
    const { child, labs } = startProgram('bench/connect.ts', ...small);
    const { all, exitCode, stdout } = await child;
    expect(exitCode, all).toBe(0);
    expect(labs()).toEqual([]);

    const { reports } = JSON.parse(readFileSync(json, 'utf8')) as { reports: EngineReport[] };
    expect(reports).toHaveLength(1);
    expect(reports[0]?.engine.startsWith(engine)).toBe(true);
    const rows = reports[0]?.rows ?? [];
    expect(rows.map(row => `${row.gateway}: ${row.driver}`)).toEqual(
      VARIANTS.flatMap(variant => CASES.map(one => `${variant.name}: ${one.name}`)),
    );
    for (const { connect, disconnect, settle } of rows) {
      for (const { median, p90, spread } of [connect, disconnect, settle]) {
        // an engine that answers a connect in a microsecond has not connected
        for (const value of [median, p90, ...spread]) expect(value).toBeGreaterThan(0.1);
        expect(Number.isFinite(p90)).toBe(true);
      }
      expect([connect.samples, disconnect.samples, settle.samples]).toEqual([2, 2, 1]);
    }
    // four tables: connect and disconnect, for each place of the gateway
    expect(stdout.match(/^\| (dis)?connect, ms /gm)).toHaveLength(4);
  });
});

it('refuses what is not a number of rounds', async () => {
  const { child } = startProgram('bench/connect.ts', '--rounds', '0');
  const { exitCode, stderr } = await child;
  expect(exitCode).toBe(1);
  expect(stderr).toContain('a whole number from 1');
});
