import { appendFileSync } from 'node:fs';
import type { Operation } from '../operations/operation.ts';
import { complaint, type Outcome } from './engine-calls.ts';

/** All that was done, in the order of its beginnings and ends, in a file; and how often of each kind. */
export class History {
  /** By kind of operation: how often it was asked for, and how often refused or cut off. */
  readonly counts = new Map<string, { done: number; failed: number }>();
  readonly #file: string;
  readonly #last: string[] = [];
  #number = 0;

  /** @param file is appended to */
  constructor(file: string) {
    this.#file = file;
  }

  /** @returns the number that its end is written with */
  begin(text: string): number {
    this.#number += 1;
    this.note(`[${this.#number}] ${text}`);
    return this.#number;
  }

  end(number: number, { kind }: Operation, outcome: Outcome | undefined): void {
    const count = this.counts.get(kind) ?? { done: 0, failed: 0 };
    this.counts.set(kind, { done: count.done + 1, failed: count.failed + (outcome === undefined ? 0 : 1) });
    this.note(`[${number}] ${outcome === undefined ? 'done' : complaint(outcome)}`);
  }

  note(text: string): void {
    const line = `${new Date().toISOString()} ${text}`;
    appendFileSync(this.#file, `${line}\n`);
    this.#last.push(line);
    if (this.#last.length > 400) this.#last.splice(0, 200);
  }

  /** The last lines. */
  last(count: number): string[] {
    return this.#last.slice(-count);
  }
}
