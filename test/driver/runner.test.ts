import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Runner } from '../../src/driver/runner.ts';

const ALONE = 'alone';
const KEYS = ['a', 'b', 'c', 'd'];

/** A task of the property: what it holds, how many turns of the event loop it takes, whether it fails. */
const task = fc.record({
  keys: fc.oneof(
    { weight: 5, arbitrary: fc.uniqueArray(fc.constantFrom(...KEYS), { minLength: 1, maxLength: 3 }) },
    { weight: 1, arbitrary: fc.constant(ALONE) },
  ),
  turns: fc.nat(3),
  fails: fc.boolean(),
  /** Turns of the event loop before the next task is asked for. */
  pause: fc.nat(2),
});

const share = (a: string | string[], b: string | string[]) =>
  a === ALONE || b === ALONE || [...a].some(key => b.includes(key));

const turn = () => new Promise<void>(resolve => setImmediate(resolve));

describe('Runner', { timeout: 60_000 }, () => {
  it('never runs two tasks at once that share a key, and runs them in the order they were asked for', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(task, { minLength: 1, maxLength: 12 }), async tasks => {
        const runner = new Runner();
        const running = new Set<number>();
        const begun: number[] = [];
        const ended = new Set<number>();
        const results: Promise<unknown>[] = [];
        for (const [index, { keys, turns, fails, pause }] of tasks.entries()) {
          const body = async () => {
            for (const other of running) expect(share(keys, tasks[other]?.keys ?? [])).toBe(false);
            for (const [earlier, { keys: theirs }] of tasks.slice(0, index).entries())
              if (share(keys, theirs)) expect(ended).toContain(earlier);
            begun.push(index);
            running.add(index);
            for (let i = 0; i < turns; i++) await turn();
            running.delete(index);
            ended.add(index);
            if (fails) throw new Error(`task ${index}`);
            return index;
          };
          results.push(typeof keys === 'string' ? runner.runAlone(body) : runner.run(keys, body));
          results.at(-1)?.catch(() => undefined);
          for (let i = 0; i < pause; i++) await turn();
        }
        const outcomes = await Promise.allSettled(results);
        expect(begun.toSorted((a, b) => a - b)).toEqual([...tasks.keys()]);
        for (const [index, { fails }] of tasks.entries()) {
          const outcome = outcomes[index];
          if (!fails) expect(outcome).toEqual({ status: 'fulfilled', value: index });
          else expect(outcome).toMatchObject({ reason: { message: `task ${index}` } });
        }
      }),
      { numRuns: 150 },
    );
  });

  it('runs tasks without a common key side by side', async () => {
    const runner = new Runner();
    const { promise, resolve: release } = Promise.withResolvers<void>();
    const held = runner.run(['a'], () => promise);
    expect(await runner.run(['b'], async () => 'done')).toBe('done');
    release();
    await held;
  });

  it('goes on after a task that throws before it returns a promise', async () => {
    const runner = new Runner();
    const bad = runner.run(['a'], () => {
      throw new Error('at once');
    });
    const good = runner.run(['a'], async () => 'done');
    await expect(bad).rejects.toThrow('at once');
    expect(await good).toBe('done');
  });
});
