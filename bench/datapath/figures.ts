import { quantile } from '../statistics.ts';
import type { Measure, Slice } from './traffic.ts';

/** What all rounds say of one subject. */
export interface Figures {
  readonly median: number;
  /** Nine of ten slices were as good or better. */
  readonly p90: number;
  /** Smallest and largest median of a round. */
  readonly spread: readonly [number, number];
  /** Median share of the time that the client spent in its own code. */
  readonly own: number;
  /** Number of slices. */
  readonly samples: number;
}

/** How many times as good one subject is as another: above 1 is better, whatever is measured. */
export interface Ratio {
  /** Of the medians. */
  readonly median: number;
  /** Smallest and largest ratio of a round's medians. */
  readonly spread: readonly [number, number];
}

/** Units, and what is better. */
export const MEASURES: Readonly<Record<Measure, { unit: string; better: 'more' | 'less'; digits: number }>> =
  {
    throughput: { unit: 'Gbit/s', better: 'more', digits: 1 },
    latency: { unit: 'µs', better: 'less', digits: 1 },
    connections: { unit: '/s', better: 'more', digits: 0 },
    handshakes: { unit: '/s', better: 'more', digits: 0 },
  };

type Rounds = readonly (readonly Slice[])[];

const medianOf = (slices: readonly Slice[]): number =>
  quantile(
    slices.map(slice => slice.value),
    0.5,
  );
const range = (values: readonly number[]) => [Math.min(...values), Math.max(...values)] as const;

/** @param rounds the slices of each round */
export function figures(measure: Measure, rounds: Rounds): Figures {
  const all = rounds.flat();
  const values = all.map(slice => slice.value);
  return {
    median: medianOf(all),
    p90: quantile(values, MEASURES[measure].better === 'more' ? 0.1 : 0.9),
    spread: range(rounds.map(medianOf)),
    own: quantile(
      all.map(slice => slice.own),
      0.5,
    ),
    samples: all.length,
  };
}

/** @param ours and the other's slices of the same rounds */
export function ratio(measure: Measure, ours: Rounds, theirs: Rounds): Ratio {
  const goodness = (one: number, other: number) =>
    MEASURES[measure].better === 'more' ? one / other : other / one;
  const each = ours.map((round, at) => goodness(medianOf(round), medianOf(theirs[at] ?? [])));
  return { median: goodness(medianOf(ours.flat()), medianOf(theirs.flat())), spread: range(each) };
}
