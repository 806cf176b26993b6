import type { Round, StormOutcome } from './run-storm.ts';
import { memoryTrend, warmAndLast } from './trend.ts';
import { growthOf, NETLINK } from './usage.ts';

/** MiB that memory at rest may be larger after the last round than after the fifth: a leak of 2 kB a container would be over it. */
const MEMORY_NOISE = 6;

/** Every promise that a storm has found broken, in words; none is the aim. */
export function faultsOf({ plan, rounds, left, log }: StormOutcome): string[] {
  return [
    ...rounds.flatMap(({ number, errors }) => errors.map(error => `round ${number}: ${error}`)),
    ...left.map(what => `left at the end: ${what}`),
    ...log.complaints.map(line => `the daemon complained: ${line}`),
    ...memoryFaults(rounds),
    ...descriptorFaults(rounds, plan.atOnce),
  ];
}

function memoryFaults(rounds: readonly Round[]): string[] {
  const trend = memoryTrend(rounds);
  if (trend === undefined || trend.to - trend.from < MEMORY_NOISE) return [];
  return [`memory at rest has grown from ${trend.from.toFixed(1)} to ${trend.to.toFixed(1)} MiB`];
}

/**
 * Between rounds nothing is open for a container: any descriptor more is one that was forgotten. But netlink sockets are kept for
 * the next call, and there is another one when more calls than ever before have met.
 */
function descriptorFaults(rounds: readonly Round[], atOnce: number): string[] {
  const compared = warmAndLast(rounds);
  if (compared === undefined) return [];
  const [warm, last] = compared.map(({ usage }) => usage.descriptors);
  const growth = growthOf(warm ?? new Map(), last ?? new Map());
  if (growth.every(([kind, number]) => kind === NETLINK && number <= atOnce)) return [];
  return [`file descriptors have grown: ${growth.map(([kind, number]) => `+${number} ${kind}`).join(', ')}`];
}
