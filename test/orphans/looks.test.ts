import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Looks, type Next } from '../../src/orphans/looks.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

const PAUSE = 30_000;

/** Looks whose times are written down; each has the outcome that stands first, the last one for ever. */
const setUp = (...outcomes: (Next | Error)[]) => {
  const at: number[] = [];
  const start = performance.now();
  const look = vi.fn(async (): Promise<Next> => {
    at.push(Math.round(performance.now() - start));
    const outcome = outcomes.length > 1 ? outcomes.shift() : outcomes[0];
    if (outcome instanceof Error) throw outcome;
    return outcome ?? 'in time';
  });
  return { looks: new Looks(look, PAUSE), at, look };
};

it('does not look before it is told to', async () => {
  const { look } = setUp('in time');
  await pass(10 * PAUSE);
  expect(look).not.toHaveBeenCalled();
});

it('looks soon, and then ever more seldom while nothing is found', async () => {
  const { looks, at } = setUp('in time');
  looks.soon();
  await pass(32 * PAUSE);
  expect(at.map(time => Math.round(time / PAUSE))).toEqual([0, 1, 3, 7, 15, 23, 31]);
  expect(at[0]).toBe(100);
});

it('looks at its usual pace again when something has happened', async () => {
  const { looks, at } = setUp('in time');
  looks.soon();
  await pass(8 * PAUSE);
  at.length = 0;
  looks.stir();
  await pass(PAUSE);
  expect(at).toHaveLength(1);
});

it('does not put a look off, however much happens', async () => {
  const { looks, at } = setUp('in time');
  looks.soon();
  await pass(200);
  for (let k = 0; k < 40; k++) {
    looks.stir();
    await pass(1000);
  }
  expect(at).toHaveLength(2);
});

it('does not put a look off that the one before has asked for', async () => {
  const { looks, at } = setUp('in time', 'in time', 2000, 'on request');
  looks.soon();
  await pass(3 * PAUSE + 200);
  expect(at).toHaveLength(3);
  looks.stir();
  await pass(2000);
  expect(at).toHaveLength(4);
});

it('looks when the look before has said, but not without a pause and no later than usual', async () => {
  const { looks, at } = setUp(2000, 0, 10 * PAUSE, 'on request');
  looks.soon();
  await pass(100 * PAUSE);
  expect(at).toEqual([100, 2100, 2300, 2300 + PAUSE]);
});

it('repeats a look that failed, ever more seldom', async () => {
  const failure = new Error('no engine');
  const { looks, at } = setUp(failure, failure, failure, 'on request');
  looks.soon();
  await pass(100 * PAUSE);
  expect(at).toEqual([100, 1100, 3100, 7100]);
});

it('is never at it twice at a time, and loses no request', async () => {
  const { promise, resolve } = Promise.withResolvers<Next>();
  const { looks, look } = setUp('on request');
  look.mockReturnValueOnce(promise);
  looks.soon();
  await pass(100);
  looks.soon();
  looks.soon();
  looks.stir();
  await pass(PAUSE);
  expect(look).toHaveBeenCalledTimes(1);
  resolve('on request');
  await pass(100);
  expect(look).toHaveBeenCalledTimes(2);
});

it('ends, also in the middle of a look', async () => {
  const { promise, resolve } = Promise.withResolvers<Next>();
  const { looks, look } = setUp('in time');
  look.mockReturnValueOnce(promise);
  looks.soon();
  await pass(100);
  looks.close();
  resolve('in time');
  await pass(10 * PAUSE);
  expect(look).toHaveBeenCalledTimes(1);
  expect(vi.getTimerCount()).toBe(0);
});
