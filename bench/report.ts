import type { CallRow } from './own-calls.ts';
import type { Plan } from './plan.ts';
import type { Figures } from './statistics.ts';

export const MEASURE_NAMES = ['life', 'connect', 'network', 'storm'] as const;
export type MeasureName = (typeof MEASURE_NAMES)[number];

/** What a median is divided by: that of the builtin driver, the floor, no network, or the same case without ports. */
export const RATIOS = ['builtin', 'floor', 'none', 'no ports'] as const;
export type Ratio = (typeof RATIOS)[number];

/** One operation of one case; milliseconds. */
export interface Row {
  /** The circumstances, such as where the default gateway is. */
  readonly scenario: string;
  readonly case: string;
  readonly operation: string;
  readonly figures: Figures;
  /** Below 1 is faster; what there is nothing to compare with is missing. */
  readonly ratios: Partial<Readonly<Record<Ratio, number>>>;
}

/** How often the engine would not remove an empty network for endpoints that it has miscounted, or did worse. */
export interface LeakRow {
  readonly scenario: string;
  readonly case: string;
  readonly storms: number;
  readonly leaked: number;
  /** How often the engine did not answer any more, and was started anew; the storm was repeated. */
  readonly hung: number;
}

export interface MeasureReport {
  readonly measure: MeasureName;
  /** What was done, in a sentence. */
  readonly title: string;
  /** Operations that each get a table; the medians of the others share one. */
  readonly headline: readonly string[];
  readonly rows: readonly Row[];
  /** tsnet's own time. */
  readonly calls: readonly CallRow[];
  readonly leaks?: readonly LeakRow[];
  /** How long the measure took. */
  readonly seconds: number;
}

export interface EngineReport {
  /** The engine's version. */
  readonly engine: string;
  readonly measures: readonly MeasureReport[];
}

export interface Machine {
  /** ISO 8601, UTC, of the start. */
  readonly date: string;
  readonly kernel: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly node: string;
  /** Load average of the last minute before the start. */
  readonly load: number;
}

/** The whole of dist/bench/bench.json. */
export interface Report {
  readonly machine: Machine;
  readonly plan: Plan;
  readonly engines: readonly EngineReport[];
}

/**
 * Runs of an engine each as one report, of the first one's machine.
 * @throws Error where they were not made to the same plan: figures beside each other have to be of the same kind
 */
export function together([first, ...more]: readonly Report[]): Report {
  if (first === undefined) throw new Error('bench: no report');
  const plan = JSON.stringify(first.plan);
  if (more.some(report => JSON.stringify(report.plan) !== plan))
    throw new Error('bench: reports of different plans');
  return { ...first, engines: [first, ...more].flatMap(({ engines }) => engines) };
}

/** The row of an operation, if it was measured. */
export const findRow = (
  report: EngineReport,
  wanted: { readonly measure: MeasureName } & Pick<Row, 'scenario' | 'case' | 'operation'>,
): Row | undefined =>
  report.measures
    .find(({ measure }) => measure === wanted.measure)
    ?.rows.find(
      row =>
        row.scenario === wanted.scenario && row.case === wanted.case && row.operation === wanted.operation,
    );
