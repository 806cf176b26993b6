import type { BareDaemon } from './bare-daemon.ts';
import { figure, type Result } from './limit.ts';

/** After calls the runtime takes its time to give memory back. */
const CALM_MS = 15_000;

/**
 * Resident memory of a daemon that nobody asks for anything.
 * @param when in words
 * @param most MB
 */
export async function measureMemory(daemon: BareDaemon, when: string, most: number): Promise<Result> {
  await new Promise(resolve => setTimeout(resolve, CALM_MS));
  const { resident, own, files } = daemon.memory();
  return {
    measure: `resident memory, ${when}`,
    unit: 'MB',
    limit: { most },
    got: resident,
    note: `${figure(own, 'MB')} its own, ${figure(files, 'MB')} of the executable and libraries, shared and clean`,
  };
}
