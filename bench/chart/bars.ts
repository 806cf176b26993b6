import { type Case, FLOOR, TSNET_BRIDGE, TSNET_MACVLAN } from '../cases.ts';
import { type EngineReport, findRow, type MeasureName, type Report } from '../report.ts';
import { EMPTY, published, STAYS, TAKEN_OVER } from '../scenarios.ts';

/** One line of the chart. */
export interface Group {
  readonly label: string;
  /** For each engine of the report its bars, in the order of SERIES; undefined where there is no figure. */
  readonly panels: readonly Bars[];
}

export interface Bars {
  readonly ratios: readonly (number | undefined)[];
  /** The same ratio of a driver that does nothing. */
  readonly floor: number | undefined;
}

/** What has a bar: the case and its class in the style sheet. */
export const SERIES: readonly { readonly one: Case; readonly style: string }[] = [
  { one: TSNET_BRIDGE, style: 'bridge' },
  { one: TSNET_MACVLAN, style: 'macvlan' },
];

interface Line {
  readonly label: string;
  readonly measure: MeasureName;
  readonly scenario: string;
  readonly operation: string;
}

const attachments = (measure: MeasureName, prefix: string): Line[] =>
  [STAYS, TAKEN_OVER].flatMap(scenario =>
    ['connect', 'disconnect'].map(operation => ({
      label: `${prefix}${operation}, ${scenario}`,
      measure,
      scenario,
      operation,
    })),
  );

/** @param containers number of containers that a storm connects */
const linesOf = (ports: readonly number[], containers: number): Line[] => [
  ...ports.map(count => ({
    label: `container's life, ${published(count)}`,
    measure: 'life' as const,
    scenario: published(count),
    operation: 'life',
  })),
  ...attachments('connect', ''),
  { label: 'network create', measure: 'network', scenario: EMPTY, operation: 'create' },
  { label: 'network delete', measure: 'network', scenario: EMPTY, operation: 'delete' },
  ...attachments('storm', `${containers} × `),
];

/** All that can be drawn of a report: lines without any ratio are left out. */
export function groupsOf({ engines, plan }: Report): Group[] {
  return linesOf(plan.ports, plan.containers)
    .map(({ label, ...line }) => ({ label, panels: engines.map(engine => barsOf(engine, line)) }))
    .filter(({ panels }) => panels.some(({ ratios }) => ratios.some(ratio => ratio !== undefined)));
}

function barsOf(engine: EngineReport, line: Omit<Line, 'label'>): Bars {
  const ratio = ({ name }: Case) => findRow(engine, { ...line, case: name })?.ratios.builtin;
  return { ratios: SERIES.map(({ one }) => ratio(one)), floor: ratio(FLOOR) };
}
