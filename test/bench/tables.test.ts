import { describe, expect, it } from 'vitest';
import type { MeasureReport, Report } from '../../bench/report.ts';
import { measureTables } from '../../bench/tables.ts';
import { targetTable } from '../../bench/targets.ts';
import { reportOf } from './sample-report.ts';

const same: Report = reportOf(() => 8);
const engine = { engine: '28.5.2' };
const [life, , , storm] = same.engines[1]?.measures ?? [];

/** A report with the ratio of one row changed. */
function withRatio(scenario: string, operation: string, builtin: number): Report {
  const change = (measured: MeasureReport): MeasureReport => ({
    ...measured,
    rows: measured.rows.map(row =>
      measured.measure === 'connect' &&
      row.case === 'tsnet bridge' &&
      row.scenario === scenario &&
      row.operation === operation
        ? { ...row, ratios: { ...row.ratios, builtin } }
        : row,
    ),
  });
  return {
    ...same,
    engines: same.engines.map(one => ({ ...one, measures: one.measures.map(change) })),
  };
}

describe('measureTables', () => {
  it('has a table for each scenario, and columns only for ratios that there are', () => {
    if (life === undefined) throw new Error('no life');
    const text = measureTables(engine, life);
    expect(text.match(/^\| life, ms /gm)).toHaveLength(5);
    expect(text).toContain('Engine 28.5.2: life');
    const heads = text.split('\n').filter(line => line.startsWith('| life, ms'));
    expect(heads[0]).toMatch(/median .* p90 .* rounds .* ÷ builtin .* ÷ floor .* ÷ none \|$/);
    expect(heads[2]).toMatch(/÷ no ports \|$/);
    expect(text).toMatch(/^\| tsnet bridge, attach=inside +\| +8\.0 \| +8\.0 \| 8\.0-8\.0 \| +1\.00 \|/m);
  });

  it("shows tsnet's own time by call and scenario, and how often the engine has miscounted", () => {
    if (storm === undefined) throw new Error('no storm');
    const text = measureTables(engine, {
      ...storm,
      calls: ['here', 'there'].map((scenario, k) => ({
        ...{ case: 'tsnet bridge', scenario, call: 'Join', count: 9 },
        ...{ p50: 1 + k, p99: 3.456, max: 7 },
      })),
      leaks: [
        { scenario: 'here', case: 'builtin bridge', storms: 6, leaked: 2, hung: 1 },
        { scenario: 'here', case: 'tsnet bridge', storms: 6, leaked: 0, hung: 0 },
      ],
    });
    expect(text).toMatch(/^\| +\| +here \| +there \|$/m);
    expect(text).toMatch(/^\| Join \| 1\.00 \/ 3\.46 \| 2\.00 \/ 3\.46 \|$/m);
    expect(text).toMatch(/^\| builtin bridge, here \| +2 of 6 \| +1 \|$/m);
    expect(text).toMatch(/^\| tsnet bridge, here +\| +0 of 6 \| +\|$/m);
  });
});

describe('targetTable', () => {
  it('says of each target whether it is reached', () => {
    const line = (report: Report, version: string) =>
      targetTable(report)
        .split('\n')
        .find(row => row.startsWith(`| ${version}: connect, gateway stays `));
    expect(line(withRatio('gateway stays', 'connect', 0.4), '20.10.24')).toMatch(
      /≤ 0\.4 \| 0\.40 \| +yes \| +1\.00 \|$/,
    );
    expect(line(withRatio('gateway stays', 'connect', 0.41), '20.10.24')).toMatch(
      /≤ 0\.4 \| 0\.41 \| +NO \| +1\.00 \|$/,
    );
    expect(line(withRatio('gateway stays', 'connect', 0.41), '28.5.2')).toMatch(
      /≤ 0\.7 \| 0\.41 \| +yes \| +1\.00 \|$/,
    );
  });

  it('shows what nobody aimed at, and leaves out what was not measured', () => {
    expect(targetTable(same)).toMatch(/^\| 20\.10\.24: life, 200 ports +\| +\| 1\.00 \| +\| +1\.00 \|$/m);
    expect(targetTable(same)).not.toContain('own time');
  });
});
