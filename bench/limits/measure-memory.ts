import type { BareDaemon } from './bare-daemon.ts';
import { figure, type Result } from './limit.ts';

/** The runtime takes about 10 s to tidy up after calls, the daemon then gives memory back after 20. */
const CALM_MS = 25_000;

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
