import type { Case } from '../../bench/cases.ts';
import { DRIVER_CASES, LIFE_CASES } from '../../bench/cases.ts';
import { DEFAULT_PLAN } from '../../bench/plan.ts';
import type { MeasureName, MeasureReport, Report } from '../../bench/report.ts';
import { Samples } from '../../bench/samples.ts';
import { EMPTY, published, STAYS, TAKEN_OVER } from '../../bench/scenarios.ts';

/** Everything that a run measures, without the details that have no table of their own. */
const SHAPES: Readonly<
  Record<MeasureName, { scenarios: string[]; cases: readonly Case[]; headline: string[] }>
> = {
  life: { scenarios: DEFAULT_PLAN.ports.map(published), cases: LIFE_CASES, headline: ['life'] },
  connect: { scenarios: [TAKEN_OVER, STAYS], cases: DRIVER_CASES, headline: ['connect', 'disconnect'] },
  network: { scenarios: [EMPTY], cases: DRIVER_CASES, headline: ['create', 'delete'] },
  storm: { scenarios: [TAKEN_OVER, STAYS], cases: DRIVER_CASES, headline: ['connect', 'disconnect'] },
};

/** A report of two engines. @param ms the next figure, in milliseconds */
export function reportOf(ms: () => number): Report {
  const measure = (name: MeasureName): MeasureReport => {
    const { scenarios, cases, headline } = SHAPES[name];
    const subjects = scenarios.flatMap(scenario => cases.map(one => ({ scenario, one })));
    const samples = new Samples(subjects, headline);
    for (const subject of subjects) {
      for (const operation of headline) samples.add(subject, operation, 1, ms());
    }
    return { measure: name, title: name, headline, rows: samples.rows(), calls: [], seconds: 1 };
  };
  return {
    machine: {
      date: '2020-02-02T00:00:00.000Z',
      kernel: '6.1',
      cpu: 'Processor <of> "this" & that',
      cores: 2,
      memoryGiB: 8,
      node: 'v24',
      load: 0.5,
    },
    plan: DEFAULT_PLAN,
    engines: ['20.10.24', '28.5.2'].map(engine => ({
      engine,
      measures: (['life', 'connect', 'network', 'storm'] as const).map(measure),
    })),
  };
}
