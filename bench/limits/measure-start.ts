import { quantile } from '../statistics.ts';
import type { BareHost } from './bare-host.ts';
import type { Result } from './limit.ts';

const STARTS = 9;

/** A call that waits until the host is restored, as all do that have arguments. */
export const AFTER_RESTORE = ['NetworkDriver.FreeNetwork', { NetworkID: 'a'.repeat(25) }] as const;

/**
 * Milliseconds from the start of the process to its first answers: to the first question of an engine, and to a call
 * that waits until all of the host has been compared with the state.
 */
export async function startTimes(host: BareHost): Promise<{ activate: number; restored: number }> {
  const daemon = host.start();
  const activate = await daemon.firstAnswer('Plugin.Activate');
  const restored = await daemon.firstAnswer(...AFTER_RESTORE);
  await daemon.stop();
  return { activate, restored };
}

/**
 * @param what the host has, in words
 * @param most milliseconds to the first call that waits for the host
 */
export async function measureStart(host: BareHost, what: string, most: number): Promise<Result[]> {
  // The first one reads the executable from the disk.
  await startTimes(host);
  const times: Awaited<ReturnType<typeof startTimes>>[] = [];
  for (let k = 0; k < STARTS; k++) times.push(await startTimes(host));
  const median = (of: (time: (typeof times)[number]) => number) => quantile(times.map(of), 0.5);
  return [
    {
      measure: `start to the first answer, ${what}`,
      unit: 'ms',
      limit: { most },
      got: median(time => time.activate),
      note: 'Plugin.Activate',
    },
    {
      measure: `start to the first call on a restored host, ${what}`,
      unit: 'ms',
      limit: { most },
      got: median(time => time.restored),
    },
  ];
}
