import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Spacing } from '../../src/driver/spacing.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

/** @returns whether it passes without waiting */
const passesAtOnce = async (spacing: Spacing, kind: string): Promise<boolean> => {
  const pass = spacing.pass(kind).then(() => true);
  return Promise.race([pass, new Promise<boolean>(resolve => setImmediate(() => resolve(false)))]);
};

test('lets one of a kind pass at once, and the next one later', async () => {
  const spacing = new Spacing(20);
  expect(await passesAtOnce(spacing, 'a')).toBe(true);
  expect(await passesAtOnce(spacing, 'b')).toBe(true);
  expect(await passesAtOnce(spacing, 'a')).toBe(false);
  vi.advanceTimersByTime(20);
  expect(await passesAtOnce(spacing, 'b')).toBe(true);
  // The one that waits has its turn first.
  expect(await passesAtOnce(spacing, 'a')).toBe(false);
  vi.advanceTimersByTime(40);
  expect(await passesAtOnce(spacing, 'a')).toBe(true);
});

test('keeps the distance, in the order of asking', async () => {
  vi.useRealTimers();
  const spacing = new Spacing(5);
  const start = performance.now();
  const passed: number[] = [];
  await Promise.all([0, 1, 2, 3].map(n => spacing.pass('a').then(() => passed.push(n))));
  expect(passed).toEqual([0, 1, 2, 3]);
  // A timer of 5 ms may fire up to a millisecond early.
  expect(performance.now() - start).toBeGreaterThanOrEqual(14);
});
