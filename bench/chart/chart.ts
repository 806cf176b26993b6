import { machineText } from '../machine.ts';
import { ratioText } from '../markdown.ts';
import type { Report } from '../report.ts';
import { type Bars, type Group, groupsOf, SERIES } from './bars.ts';
import { logScale, type Scale } from './scale.ts';
import { STYLE } from './style.ts';
import { escaped, line, rect, text } from './svg.ts';

/** Sizes, in the drawing's units: pixels, until somebody scales it. */
const LABELS = 250;
const PANEL = 300;
/** Room within a panel for the figures at the ends of the longest bars. */
const MARGIN = 38;
const TOP = 112;
const BAR = 11;
/** Width of a figure. */
const FIGURE = 40;
const GROUP = SERIES.length * (BAR + 1) + 12;
const BOTTOM = 30;

/**
 * The ratios to Docker's own drivers as an SVG: a panel for each engine, a line for each operation, a bar for each of
 * tsnet's modes, from 1 to the left where it is faster. The same report gives the same drawing, byte for byte.
 */
export function chart(report: Report): string {
  const groups = groupsOf(report);
  const width = LABELS + Math.max(report.engines.length, 2) * PANEL;
  const height = TOP + groups.length * GROUP + BOTTOM;
  const title = "tsnet beside Docker's own drivers";
  const parts = [
    rect('page', 0, 0, width, height),
    text('title', 16, 28, title),
    text('', 16, 48, 'Time ÷ that of the builtin driver of the same kind: left of 1 is faster. Logarithmic.'),
    text('faint', 16, 66, `${machineText(report.machine)}; medians of ${report.plan.rounds} rounds`),
    ...legend(),
    ...groups.map(({ label }, k) => text('', LABELS - 8, middle(k), label, 'end')),
    ...report.engines.flatMap(({ engine }, k) => panel(`Docker Engine ${engine}`, groups, k)),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
${parts.join('\n')}
</svg>
`;
}

const middle = (k: number): number => TOP + k * GROUP + GROUP / 2 + 4;

function legend(): string[] {
  const y = 86;
  const entries = SERIES.flatMap(({ one, style }, k) => [
    rect(style, 16 + k * 120, y - 9, 11, 11),
    text('', 32 + k * 120, y, one.name),
  ]);
  const at = 16 + SERIES.length * 120;
  return [
    ...entries,
    line('floor', at + 5, y - 9, at + 5, y + 2),
    text('', at + 16, y, "the engine's own part: a remote driver that does nothing ÷ builtin bridge"),
  ];
}

/** One engine: axis, and bars on it. @param k number of the panel, from 0 */
function panel(head: string, groups: readonly Group[], k: number): string[] {
  const all = groups.flatMap(({ panels }) => panels.flatMap(({ ratios, floor }) => [...ratios, floor]));
  const left = LABELS + k * PANEL;
  const scale = logScale(
    all.filter(ratio => ratio !== undefined),
    left + MARGIN,
    left + PANEL - MARGIN,
  );
  const bottom = TOP + groups.length * GROUP;
  const axis = scale.ticks.flatMap(tick => [
    line(tick === 1 ? 'one' : 'grid', scale.x(tick), TOP, scale.x(tick), bottom),
    text('faint', scale.x(tick), bottom + 16, String(tick), 'middle'),
  ]);
  const bars = groups.flatMap(({ panels }, row) => {
    const mine = panels[k];
    return mine === undefined ? [] : barsOf(mine, TOP + row * GROUP + 6, scale);
  });
  return [text('head', left + PANEL / 2, TOP - 8, head, 'middle'), ...axis, ...bars];
}

function barsOf({ ratios, floor }: Bars, top: number, { x }: Scale): string[] {
  const bars = ratios.flatMap((ratio, k) => {
    if (ratio === undefined) return [];
    const y = top + k * (BAR + 1);
    const [from, to] = ratio < 1 ? [x(ratio), x(1)] : [x(1), x(ratio)];
    const figure = ratioText(ratio);
    // The floor's mark, where it would go through the figure of the bar that it is beside, has it on its other side.
    const mark = k === 0 && floor !== undefined ? x(floor) : Number.NaN;
    const left = mark <= from + 2 && mark > from - FIGURE ? mark : from;
    const right = mark >= to - 2 && mark < to + FIGURE ? mark : to;
    return [
      rect(SERIES[k]?.style ?? '', from, y, to - from, BAR),
      ratio < 1 ? text('', left - 4, y + 10, figure, 'end') : text('', right + 4, y + 10, figure),
    ];
  });
  // beside the bars of bridge mode, which it is to be compared with
  return floor === undefined ? bars : [...bars, line('floor', x(floor), top - 2, x(floor), top + BAR + 2)];
}
