import { randomBytes } from 'node:crypto';
import { compare, type Snapshot, snapshot } from './leftovers.ts';
import { waitFor } from './wait.ts';

let before: Snapshot | undefined;

/** vitest: looks at the machine before the first test, and marks everything that this run will start. */
export async function setup(): Promise<void> {
  // who is not root can change nothing of what is looked at
  if (process.getuid?.() !== 0) return;
  process.env['TSNET_TEST_RUN'] = `${randomBytes(4).toString('hex')}-`;
  before = await snapshot();
}

/**
 * vitest: fails the run when the machine is not as it was.
 *
 * @throws Error that lists what the tests have left behind
 */
export async function teardown(): Promise<void> {
  if (before === undefined) return;
  const start = before;
  let leftovers: string[] = [];
  // the kernel frees a dead process's namespaces a moment later
  await waitFor(
    async () => {
      leftovers = compare(start, await snapshot());
      return leftovers.length === 0;
    },
    { timeout: 5_000, what: () => `the machine to be as it was before the tests:\n${leftovers.join('\n')}` },
  );
}
