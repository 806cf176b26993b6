import { describe, expect, it } from 'vitest';
import { type Report, together } from '../../bench/report.ts';
import { reportOf } from './sample-report.ts';

const whole = reportOf(() => 1);
const parts: Report[] = whole.engines.map(engine => ({ ...whole, engines: [engine] }));

describe('reports of an engine each', () => {
  it('are one report of all engines, in their order', () => {
    expect(together(parts)).toEqual(whole);
    expect(together([whole])).toEqual(whole);
  });

  it('are refused where they are not of the same kind', () => {
    const [one, other] = parts as [Report, Report];
    const another = { ...other, plan: { ...other.plan, lives: other.plan.lives + 1 } };
    expect(() => together([one, another])).toThrow('different plans');
    expect(() => together([])).toThrow('no report');
  });
});
