import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import type { Machine } from './report.ts';

/** What the figures were taken on, as it is now. */
export const thisMachine = (): Machine => ({
  date: new Date().toISOString(),
  kernel: release(),
  cpu: cpus()[0]?.model.trim() || 'unknown processor',
  cores: availableParallelism(),
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  node: process.version,
  load: loadavg()[0] ?? 0,
});

/** One line for the head of tables and charts. */
export const machineText = ({ date, kernel, cpu, cores, memoryGiB, node }: Machine): string =>
  `${date.slice(0, 10)}, ${cores} × ${cpu}, ${memoryGiB} GiB, Linux ${kernel}, Node ${node}`;
