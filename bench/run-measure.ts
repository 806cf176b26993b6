import type { Generation } from '../test/lab/engines.ts';
import { BenchHost } from './bench-host.ts';
import { connect } from './measures/connect.ts';
import { life } from './measures/life.ts';
import type { Measure, Progress } from './measures/measure.ts';
import { network } from './measures/network.ts';
import { storm } from './measures/storm.ts';
import type { Plan } from './plan.ts';
import type { MeasureName, MeasureReport } from './report.ts';

const MEASURES: Readonly<Record<MeasureName, Measure>> = { life, connect, network, storm };

/**
 * Measures every case on a throwaway host with an engine of this generation; nothing of the host is left.
 *
 * @param progress told the number of the round that begins, from 1, or 0 for the warm-up
 * @returns the engine's version and what came out
 * @throws Error when a call fails or a driver leaves a link behind
 */
export async function runMeasure(
  name: MeasureName,
  generation: Generation,
  plan: Plan,
  progress: Progress,
): Promise<{ engine: string; report: MeasureReport }> {
  const start = performance.now();
  const { title, headline, run } = MEASURES[name];
  await using host = await BenchHost.boot(generation);
  const outcome = await run(host, plan, progress);
  const seconds = Math.round((performance.now() - start) / 1000);
  return {
    engine: host.engine,
    report: { measure: name, title: title(plan), headline, ...outcome, seconds },
  };
}
