import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { groupsOf, SERIES } from '../../bench/chart/bars.ts';
import { chart } from '../../bench/chart/chart.ts';
import { logScale } from '../../bench/chart/scale.ts';
import { reportOf } from './sample-report.ts';

/** Figures that are the same at every run. */
function figures(): () => number {
  let last = 1;
  return () => {
    last = (last * 7919) % 10_007;
    return last / 10;
  };
}

describe('chart', () => {
  it('is the same for the same report', () => {
    expect(chart(reportOf(figures()))).toBe(chart(reportOf(figures())));
  });

  it('has a bar for every ratio, within the drawing, and its figure beside it', () => {
    const milliseconds = fc.double({ min: 0.5, max: 20_000, noNaN: true });
    fc.assert(
      fc.property(fc.infiniteStream(milliseconds), stream => {
        const report = reportOf(() => stream.next().value);
        const drawing = chart(report);
        const [, width = '', height = ''] = /viewBox="0 0 (\d+) (\d+)"/.exec(drawing) ?? [];
        const ratios = groupsOf(report).flatMap(({ panels }) => panels.flatMap(panel => panel.ratios));
        const bars = SERIES.flatMap(({ style }) => [...drawing.matchAll(barOf(style))]);
        const known = ratios.filter(ratio => ratio !== undefined);
        // one more of each in the legend
        expect(bars).toHaveLength(known.length + SERIES.length);
        for (const [, x, y, wide, high] of bars) {
          expect(Number(x)).toBeGreaterThanOrEqual(0);
          expect(Number(wide)).toBeGreaterThanOrEqual(0);
          expect(Number(x) + Number(wide)).toBeLessThanOrEqual(Number(width));
          expect(Number(y) + Number(high)).toBeLessThanOrEqual(Number(height));
        }
        for (const ratio of known) expect(drawing).toContain(`>${ratio.toFixed(ratio < 0.1 ? 3 : 2)}<`);
      }),
      { numRuns: 20 },
    );
  });

  it('names the machine and the engines, with nothing that would end an element', () => {
    const drawing = chart(reportOf(figures()));
    expect(drawing).toContain('2 × Processor &lt;of&gt; &quot;this&quot; &amp; that, 8 GiB, Linux 6.1');
    for (const engine of ['20.10.24', '28.5.2']) expect(drawing).toContain(`Docker Engine ${engine}<`);
    expect(drawing).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('leaves out what was not measured', () => {
    const report = reportOf(figures());
    const engines = report.engines.map(engine => ({
      ...engine,
      measures: engine.measures.filter(({ measure }) => measure === 'network'),
    }));
    expect(groupsOf({ ...report, engines }).map(({ label }) => label)).toEqual([
      'network create',
      'network delete',
    ]);
  });
});

const barOf = (style: string): RegExp =>
  new RegExp(`<rect class="${style}" x="([^"]+)" y="([^"]+)" width="([^"]+)" height="([^"]+)"`, 'g');

it('logScale holds every ratio, in order, and 1', () => {
  const ratio = fc.double({ min: 1e-4, max: 1e3, noNaN: true });
  fc.assert(
    fc.property(fc.array(ratio), ratios => {
      const { x, ticks } = logScale(ratios, 100, 400);
      for (const one of [...ratios, ...ticks]) {
        expect(x(one)).toBeGreaterThanOrEqual(100 - 1e-9);
        expect(x(one)).toBeLessThanOrEqual(400 + 1e-9);
      }
      const sorted = ratios.toSorted((a, b) => a - b).map(x);
      expect(sorted).toEqual(sorted.toSorted((a, b) => a - b));
      expect(ticks).toContain(1);
      expect(x(0.1) - x(0.01)).toBeCloseTo(x(1) - x(0.1));
    }),
  );
});
