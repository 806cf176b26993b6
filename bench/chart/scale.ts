/** Places ratios on a logarithmic axis. */
export interface Scale {
  readonly x: (ratio: number) => number;
  /** Ratios that have a line and a label. */
  readonly ticks: readonly number[];
}

/**
 * An axis that holds all ratios, and 1.
 *
 * @param ratios above 0
 * @param left,right the axis's ends in the drawing's units
 */
export function logScale(ratios: readonly number[], left: number, right: number): Scale {
  const decades = Math.ceil(-Math.log10(Math.min(0.1, ...ratios)));
  const low = -decades;
  const high = Math.log10(Math.max(2, ...ratios));
  return {
    x: ratio => left + ((Math.log10(ratio) - low) / (high - low)) * (right - left),
    ticks: Array.from({ length: decades + 1 }, (_, k) => Number(`1e${k - decades}`)),
  };
}
