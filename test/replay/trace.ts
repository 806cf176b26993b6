import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A call of an engine, and what tsnet answered. */
export interface CallStep {
  /** Interface and method: `NetworkDriver.Join`. */
  readonly call: string;
  /** Absent where the engine sent none. */
  readonly body?: unknown;
  /** Of a Join: whether the sandbox was there at that moment. */
  readonly sandbox?: boolean;
  readonly status: number;
  readonly answer: unknown;
}

/** What happened to the host between calls. */
export interface EventStep {
  readonly event: 'containers died' | 'tsnet restarted';
}

export type Step = CallStep | EventStep;

/** Something that users do, from nothing to nothing. */
export interface Chapter {
  readonly name: string;
  readonly steps: readonly Step[];
}

export interface Trace {
  /** Version of the engine, and where it is from. */
  readonly engine: string;
  readonly chapters: readonly Chapter[];
}

const FIXTURES = join(import.meta.dirname, 'fixtures');

/** The fixture of a generation: JSON Lines, a step a line, after a line that names its chapter. */
export function readTrace(generation: string): Trace {
  const lines = readFileSync(join(FIXTURES, `${generation}.jsonl`), 'utf8')
    .trim()
    .split('\n');
  const [head = '', ...rest] = lines;
  const chapters: { name: string; steps: Step[] }[] = [];
  for (const line of rest) {
    const record = JSON.parse(line) as Step | { chapter: string };
    if ('chapter' in record) chapters.push({ name: record.chapter, steps: [] });
    else chapters.at(-1)?.steps.push(record);
  }
  return { engine: (JSON.parse(head) as { engine: string }).engine, chapters };
}

export function writeTrace({ engine, chapters }: Trace): string {
  const records = chapters.flatMap(({ name, steps }) => [{ chapter: name }, ...steps]);
  return [{ engine }, ...records].map(record => `${JSON.stringify(record)}\n`).join('');
}
