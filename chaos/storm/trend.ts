import type { Round } from './run-storm.ts';
import { total } from './usage.ts';

/** The round from which on a daemon has all that it will ever need: heap, pools and compiled code have grown by then. */
export const WARM = 5;

export interface Trend {
  readonly from: number;
  readonly to: number;
}

/**
 * How much memory the daemon has at rest after its first rest from the fifth round on and after its last one, in MiB. What it
 * has while it works says when the garbage collector was there last, and no more.
 * @returns undefined when there are too few rounds to say
 */
export function memoryTrend(rounds: readonly Round[]): Trend | undefined {
  const rests = rounds.flatMap(({ number, rested }) =>
    number >= WARM && rested !== undefined ? [rested.memory] : [],
  );
  const [from, to] = [rests[0], rests.at(-1)];
  return from === undefined || to === undefined || rests.length < 2 ? undefined : { from, to };
}

/** The rounds whose descriptors are compared: in a short storm the second will do, for the first opens what is opened once. */
export function warmAndLast(rounds: readonly Round[]): readonly [Round, Round] | undefined {
  const [warm, last] = [rounds[Math.min(WARM, rounds.length - 1) - 1], rounds.at(-1)];
  return warm === undefined || last === undefined ? undefined : [warm, last];
}

/** As memoryTrend(), of the descriptors of the daemon's own making. */
export function descriptorTrend(rounds: readonly Round[]): Trend | undefined {
  const compared = warmAndLast(rounds);
  if (compared === undefined) return undefined;
  const [from, to] = compared.map(({ usage }) => total(usage.descriptors));
  return from === undefined || to === undefined ? undefined : { from, to };
}
