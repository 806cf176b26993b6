/** What the rounds of one measurement say, in milliseconds. */
export interface Figures {
  readonly median: number;
  /** The value that nine of ten samples do not exceed. */
  readonly p90: number;
  /** Smallest and largest median of a round: how far the machine's other load moved the figure. */
  readonly spread: readonly [number, number];
  /** Number of samples. */
  readonly samples: number;
}

/**
 * The value below which a share of the samples lies, interpolated between neighbours.
 *
 * @param share from 0 to 1; 0.5 is the median
 * @throws RangeError when there are no samples
 */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)];
  const high = sorted[Math.ceil(at)];
  if (low === undefined || high === undefined) throw new RangeError('no samples');
  return low + (high - low) * (at - Math.floor(at));
}

/** @param rounds the samples of each round, in milliseconds */
export function figures(rounds: readonly (readonly number[])[]): Figures {
  const all = rounds.flat();
  const medians = rounds.map(round => quantile(round, 0.5));
  return {
    median: quantile(all, 0.5),
    p90: quantile(all, 0.9),
    spread: [Math.min(...medians), Math.max(...medians)],
    samples: all.length,
  };
}
