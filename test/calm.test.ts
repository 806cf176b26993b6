import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Calm } from '../src/calm.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('comes once, when nothing has happened for a while', () => {
  let came = 0;
  const calm = new Calm(() => {
    came += 1;
  });
  vi.advanceTimersByTime(100_000);
  expect(came).toBe(0);
  for (let call = 0; call < 5; call++) {
    calm.disturb();
    vi.advanceTimersByTime(19_000);
  }
  expect(came).toBe(0);
  vi.advanceTimersByTime(100_000);
  expect(came).toBe(1);
  calm.disturb();
  vi.advanceTimersByTime(20_000);
  expect(came).toBe(2);
});

it('does not come after it was closed', () => {
  let came = 0;
  const calm = new Calm(() => {
    came += 1;
  });
  calm.disturb();
  calm.close();
  vi.advanceTimersByTime(100_000);
  expect(came).toBe(0);
});
