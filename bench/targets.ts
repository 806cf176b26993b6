import { type Case, FLOOR, TSNET_BRIDGE, TSNET_INSIDE } from './cases.ts';
import { markdownTable, ratioText } from './markdown.ts';
import { type EngineReport, findRow, type MeasureName, type Ratio, type Report } from './report.ts';
import { backToBack, CONNECT_AND_DISCONNECT, EMPTY, published, STAYS, TAKEN_OVER } from './scenarios.ts';

/** What is aimed at: a figure of an engine and the most that it may be, by the beginning of the engine's version. */
interface Target {
  readonly what: string;
  readonly most: Readonly<Record<string, number>>;
  readonly got: (engine: EngineReport) => number | undefined;
  /** The same of a driver that does nothing: what lies below it no driver can reach. */
  readonly floor?: (engine: EngineReport) => number | undefined;
}

const ratio =
  (measure: MeasureName, scenario: string, operation: string, to: Ratio, name = TSNET_BRIDGE.name) =>
  (engine: EngineReport): number | undefined =>
    findRow(engine, { measure, scenario, case: name, operation })?.ratios[to];

/** What a driver that does nothing has where tsnet is compared with something that does. */
const floorOf = (measure: MeasureName, scenario: string, operation: string, to: Ratio) =>
  to === 'floor' || to === 'no ports' ? {} : { floor: ratio(measure, scenario, operation, to, FLOOR.name) };

/** tsnet's own time for connect and disconnect, the worse of the two places of the gateway. */
const own =
  (share: 'p50' | 'p99', scenarios: readonly string[]) =>
  ({ measures }: EngineReport): number | undefined => {
    const calls = measures.find(({ measure }) => measure === 'connect')?.calls ?? [];
    const mine = calls.filter(
      row =>
        row.case === TSNET_BRIDGE.name &&
        scenarios.includes(row.scenario) &&
        row.call.endsWith(CONNECT_AND_DISCONNECT),
    );
    return mine.length === 0 ? undefined : Math.max(...mine.map(row => row[share]));
  };

const limits = (newer: number, older?: number): Target['most'] =>
  older === undefined ? { '28': newer } : { '28': newer, '20.10': older };

/** tsnet in bridge mode; ratios to the builtin bridge where nothing else is said. */
const TARGETS: readonly Target[] = [
  ...lives(TSNET_BRIDGE, ''),
  ...lives(TSNET_INSIDE, ', attach=inside'),
  ...[(one: string) => one, backToBack].flatMap(pace => [
    ...pair('connect', pace(STAYS), 'builtin', limits(0.7, 0.4), limits(0.07, 0.15)),
    ...pair('connect', pace(STAYS), 'floor', limits(2, 1.6), limits(1.7, 1.4)),
    ...pair('connect', pace(TAKEN_OVER), 'builtin', limits(0.4, 0.7), limits(0.18, 0.28)),
    ...(['p50', 'p99'] as const).map(share => ({
      what: `own time of ${pace(CONNECT_AND_DISCONNECT)}, ${share}, ms`,
      most: share === 'p50' ? limits(2, 2) : limits(10, 10),
      got: own(share, [pace(STAYS), pace(TAKEN_OVER)]),
    })),
  ]),
  {
    what: 'network create',
    most: limits(0.15, 0.45),
    got: ratio('network', EMPTY, 'create', 'builtin'),
    ...floorOf('network', EMPTY, 'create', 'builtin'),
  },
  {
    what: 'network delete',
    most: limits(0.06, 0.08),
    got: ratio('network', EMPTY, 'delete', 'builtin'),
    ...floorOf('network', EMPTY, 'delete', 'builtin'),
  },
  ...pair('storm', STAYS, 'builtin', limits(0.75, 0.3), limits(0.18, 0.3)),
  ...pair('storm', TAKEN_OVER, 'builtin', limits(0.75, 0.3), limits(0.18, 0.3)),
];

function lives({ name }: Case, how: string): Target[] {
  const of = (ports: number, to: Ratio) => ({
    got: ratio('life', published(ports), 'life', to, name),
    ...floorOf('life', published(ports), 'life', to),
  });
  return [
    { what: `life, 50 ports${how}`, most: limits(0.1, 0.16), ...of(50, 'builtin') },
    { what: `life, 200 ports${how}`, most: limits(0.03), ...of(200, 'builtin') },
    { what: `life, 1,000 ports${how} ÷ own without ports`, most: limits(1.5), ...of(1000, 'no ports') },
    { what: `life, no port${how}`, most: limits(0.85, 1.05), ...of(0, 'builtin') },
    { what: `life, no port${how} ÷ none`, most: limits(1.2), ...of(0, 'none') },
  ];
}

function pair(
  measure: MeasureName,
  scenario: string,
  to: Ratio,
  connect: Target['most'],
  disconnect: Target['most'],
): Target[] {
  const where = `${measure === 'storm' ? 'all at once, ' : ''}${scenario}`;
  return Object.entries({ connect, disconnect }).map(([operation, most]) => ({
    what: `${operation}, ${where}${to === 'builtin' ? '' : ` ÷ ${to}`}`,
    most,
    got: ratio(measure, scenario, operation, to),
    ...floorOf(measure, scenario, operation, to),
  }));
}

/** What was aimed at, what was reached, and whether that is enough; what was not measured is left out. */
export function targetTable({ engines }: Report): string {
  const rows = engines.flatMap(engine =>
    TARGETS.flatMap(({ what, most, got, floor }) => {
      const value = got(engine);
      if (value === undefined) return [];
      const limit = Object.entries(most).find(([version]) => engine.engine.startsWith(version))?.[1];
      const verdict = limit === undefined ? '' : value <= limit ? 'yes' : 'NO';
      const aimed = limit === undefined ? '' : `≤ ${limit}`;
      const least = floor?.(engine);
      const lowest = least === undefined ? '' : ratioText(least);
      return [[`${engine.engine}: ${what}`, aimed, ratioText(value), verdict, lowest]];
    }),
  );
  return `tsnet bridge ÷ builtin bridge\n\n${markdownTable(['measure', 'aimed at', 'got', 'reached', 'the floor'], rows)}\n`;
}
