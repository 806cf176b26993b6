import { join } from 'node:path';
import { execa } from 'execa';
import type { Answers, Plan } from './plan.ts';

/** Carries out a plan in a process of its own, which ends in another namespace than it began in. */
export async function probe(plan: Plan): Promise<Answers> {
  if (plan.questions.length === 0) return [];
  const { stdout } = await execa(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    input: JSON.stringify(plan),
  });
  return JSON.parse(stdout) as Answers;
}
