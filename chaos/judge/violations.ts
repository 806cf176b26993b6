import type { Violation } from '../world/types.ts';

/** What a rule says of a host: nothing where all is well. */
export type Rule<T> = (seen: T) => Violation[];

export const violation = (rule: string, subject: string, detail: string): Violation => ({
  rule,
  subject,
  detail,
});

/** By what a violation is known again at the next look. */
export const keyOf = ({ rule, subject, detail }: Violation): string => `${rule} ${subject} ${detail}`;

/** Things that a host has, and those that it should have. */
export interface Comparison {
  readonly found: Iterable<string>;
  readonly expected: Iterable<string>;
}

/** Both differences. @param count whether a thing that is there twice is one too many */
export function differences({ found, expected }: Comparison): { surplus: string[]; missing: string[] } {
  const counts = new Map<string, number>();
  for (const thing of expected) counts.set(thing, (counts.get(thing) ?? 0) + 1);
  const surplus: string[] = [];
  for (const thing of found) {
    const left = counts.get(thing) ?? 0;
    if (left === 0) surplus.push(thing);
    else counts.set(thing, left - 1);
  }
  return { surplus, missing: [...counts].flatMap(([thing, left]) => Array<string>(left).fill(thing)) };
}
