import type { Generation } from '../../test/lab/engines.ts';
import { CASES, type Case, type Subject, subjectsOf } from './cases.ts';
import { type Figures, figures, type Ratio, ratio } from './figures.ts';
import { Stage } from './stage.ts';
import type { Measure, Slice } from './traffic.ts';

/** How much is measured. */
export interface Plan {
  readonly rounds: number;
  /** Slices of each subject, measure and case in a round. */
  readonly slices: number;
  /** Milliseconds of a slice. */
  readonly ms: number;
}

type PerSubject<T> = Record<Subject, T>;

/** What came out of one measure of one case. */
export interface Row {
  readonly case: string;
  readonly measure: Measure;
  readonly figures: Readonly<Partial<PerSubject<Figures>>>;
  /** Of tsnet, to the builtin driver on the same host and on one without tsnet. */
  readonly ratio: Readonly<Partial<Record<Exclude<Subject, 'tsnet'>, Ratio>>>;
  readonly target?: number;
}

export interface DatapathReport {
  readonly engine: string;
  readonly rows: readonly Row[];
}

interface Run {
  readonly one: Case;
  readonly measure: Measure;
  readonly samples: PerSubject<Slice[][]>;
}

/**
 * Measures every case on throwaway hosts with an engine of this generation; nothing of them is left.
 *
 * @param progress told in a few words what begins
 * @throws Error when traffic is not answered
 */
export async function measureDatapath(
  generation: Generation,
  plan: Plan,
  progress: (what: string) => void,
): Promise<DatapathReport> {
  progress(`engine ${generation}`);
  await using stage = await Stage.build(generation);
  const rows: Row[] = [];
  for (const cases of CASES) {
    for (const net of new Set(cases.map(one => one.net))) {
      progress(`network ${net}`);
      await stage.furnish(net);
    }
    rows.push(...(await measureTogether(stage, cases, plan, progress)));
  }
  return { engine: stage.engine, rows };
}

async function measureTogether(
  stage: Stage,
  cases: readonly Case[],
  plan: Plan,
  progress: (what: string) => void,
): Promise<Row[]> {
  const runs = cases.flatMap(one =>
    one.measures.map((measure): Run => ({ one, measure, samples: { builtin: [], tsnet: [], alone: [] } })),
  );
  progress('warm-up');
  for (const { one, measure } of runs) await alternate(stage, one, measure, { ...plan, slices: 1 });
  for (let round = 1; round <= plan.rounds; round++) {
    progress(`round ${round} of ${plan.rounds}`);
    for (const { one, measure, samples } of runs) {
      const taken = await alternate(stage, one, measure, plan);
      for (const [subject] of subjectsOf(one.net)) samples[subject].push(taken[subject]);
    }
  }
  return runs.map(row);
}

/** The subjects in turn, in slices so short that whatever else the machine does meets all; none is always first. */
async function alternate(
  stage: Stage,
  one: Case,
  measure: Measure,
  { slices, ms }: Pick<Plan, 'slices' | 'ms'>,
): Promise<PerSubject<Slice[]>> {
  const taken: PerSubject<Slice[]> = { builtin: [], tsnet: [], alone: [] };
  const subjects = subjectsOf(one.net).map(([subject]) => subject);
  for (let k = 0; k < slices; k++) {
    for (const subject of k % 2 === 0 ? subjects : subjects.toReversed()) {
      const { client, address, port } = stage.way(one, subject);
      taken[subject].push(await client.run({ measure, address, port, ms }));
    }
  }
  return taken;
}

function row({ one, measure, samples }: Run): Row {
  const measured = subjectsOf(one.net).map(([subject]) => subject);
  const others = measured.filter(subject => subject !== 'tsnet');
  return {
    case: one.name,
    measure,
    figures: Object.fromEntries(measured.map(subject => [subject, figures(measure, samples[subject])])),
    ratio: Object.fromEntries(
      others.map(subject => [subject, ratio(measure, samples.tsnet, samples[subject])]),
    ),
    ...(one.target === undefined ? {} : { target: one.target }),
  };
}
