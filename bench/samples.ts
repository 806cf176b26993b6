import { type Case, FLOOR, NONE } from './cases.ts';
import type { Ratio, Row } from './report.ts';
import { NO_PORTS } from './scenarios.ts';
import { type Figures, figures } from './statistics.ts';

/** One combination that is measured. */
export interface Subject {
  readonly scenario: string;
  readonly one: Case;
}

/** Keeps what was measured by round, and makes figures and ratios of it, in the order of the subjects. */
export class Samples {
  readonly #subjects: readonly Subject[];
  readonly #operations: readonly string[];
  readonly #rounds = new Map<string, number[][]>();

  constructor(subjects: readonly Subject[], operations: readonly string[]) {
    this.#subjects = subjects;
    this.#operations = operations;
  }

  /** @param round from 1; a warm-up is not to be added @param values milliseconds */
  add({ scenario, one }: Subject, operation: string, round: number, ...values: number[]): void {
    const key = keyOf(scenario, one.name, operation);
    const rounds = this.#rounds.get(key) ?? [];
    this.#rounds.set(key, rounds);
    rounds[round - 1] = [...(rounds[round - 1] ?? []), ...values];
  }

  rows(): Row[] {
    const found = new Map([...this.#rounds].map(([key, rounds]) => [key, figures(rounds)]));
    return this.#subjects.flatMap(({ scenario, one }) =>
      this.#operations.flatMap(operation => {
        const mine = found.get(keyOf(scenario, one.name, operation));
        if (mine === undefined) return [];
        const find = (name: string | undefined, where = scenario) =>
          name === undefined ? undefined : found.get(keyOf(where, name, operation));
        const ratios = ratiosOf(one, mine, find);
        return [{ scenario, case: one.name, operation, figures: mine, ratios }];
      }),
    );
  }
}

const keyOf = (...parts: readonly string[]): string => parts.join('\n');

type Find = (name: string | undefined, scenario?: string) => Figures | undefined;

function ratiosOf(one: Case, mine: Figures, find: Find): Row['ratios'] {
  const others: Record<Ratio, Figures | undefined> = {
    builtin: find(one.builtin),
    floor: find(FLOOR.name),
    none: find(NONE.name),
    'no ports': find(one.name, NO_PORTS),
  };
  const known = Object.entries(others).flatMap(([ratio, other]) =>
    other === undefined || other === mine ? [] : [[ratio, mine.median / other.median] as const],
  );
  return Object.fromEntries(known);
}
