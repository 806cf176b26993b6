/** One line of the table: what is aimed at, and what came out. */
export interface Result {
  readonly measure: string;
  /** The unit of both figures: `ms`, `MB`, `/s`, `x`. */
  readonly unit: string;
  /** Absent: a figure that nothing was promised of, for comparison. */
  readonly limit?: { readonly most: number } | { readonly least: number };
  readonly got: number;
  /** What more there is to say of it. */
  readonly note?: string;
}

/** How far a figure may miss its limit for the noise of a machine that does other things as well. */
const NOISE = 0.1;

/** Whether a limit is missed by more than noise. */
export const isMissed = (result: Result): boolean => exceeds(result, NOISE);

/** Whether a limit is held, as a word of the table; empty where nothing was promised. */
export function verdict(result: Result): string {
  if (result.limit === undefined) return '';
  if (!exceeds(result, 0)) return 'yes';
  return isMissed(result) ? 'NO' : 'within noise';
}

function exceeds({ limit, got }: Result, margin: number): boolean {
  if (limit === undefined) return false;
  return 'most' in limit ? got > limit.most * (1 + margin) : got < limit.least * (1 - margin);
}

export function limitText({ limit, unit }: Result): string {
  if (limit === undefined) return '';
  return 'most' in limit ? `≤ ${figure(limit.most, unit)}` : `≥ ${figure(limit.least, unit)}`;
}

/** With as many digits as mean something. */
export function figure(value: number, unit: string): string {
  if (unit === 'x') return `${value.toFixed(2)}x`;
  const digits = value < 10 && !Number.isInteger(value) ? 1 : 0;
  const text = value.toLocaleString('en', { maximumFractionDigits: digits });
  return unit.startsWith('/') ? `${text}${unit}` : `${text} ${unit}`;
}
