import type { BenchHost } from '../bench-host.ts';
import type { Plan } from '../plan.ts';
import type { MeasureReport } from '../report.ts';

/** What one file of this folder measures on a throwaway host; nothing of the host is left. */
export interface Measure {
  /** Operations and circumstances, for the head of its tables. */
  readonly title: (plan: Plan) => string;
  readonly headline: readonly string[];
  /**
   * @param progress told the number of the round that begins, from 1, or 0 for the warm-up
   * @throws Error when a call fails or a driver leaves a link behind
   */
  run(host: BenchHost, plan: Plan, progress: Progress): Promise<Outcome>;
}

export type Progress = (round: number) => void;
export type Outcome = Pick<MeasureReport, 'rows' | 'calls' | 'leaks'>;
