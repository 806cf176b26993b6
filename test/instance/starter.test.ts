import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Starter } from '../../src/instance/starter.ts';
import { logLines } from '../reconcile/log-lines.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Opens 'open' after some failures, and counts how often it was asked. */
function afterFailures(...failures: string[]) {
  const open = vi.fn(async () => {
    const words = failures[open.mock.calls.length - 1];
    if (words !== undefined) throw new Error(words);
    return 'open';
  });
  const { log, lines } = logLines();
  return { open, lines, starter: new Starter(open, log) };
}

describe('what cannot be opened yet', () => {
  it('is opened once for all who ask at the same time', async () => {
    const { open, starter } = afterFailures();
    expect(starter.value).toBeUndefined();
    expect(await Promise.all([starter.get(), starter.get()])).toEqual(['open', 'open']);
    expect(await starter.get()).toBe('open');
    expect(starter.value).toBe('open');
    expect(open).toHaveBeenCalledTimes(1);
  });

  it('is tried again by whoever asks, who hears what is wrong now', async () => {
    const { starter } = afterFailures('no library', 'no kernel');
    await expect(starter.get()).rejects.toThrow('no library');
    expect(starter.failure).toMatchObject({ message: 'no library' });
    await expect(starter.get()).rejects.toThrow('no kernel');
    expect(await starter.get()).toBe('open');
  });

  it('is tried again by itself, less and less often, and the log is told once', async () => {
    const { open, lines, starter } = afterFailures('no library', 'no library', 'no library', 'no kernel');
    await starter.retry();
    expect(open).toHaveBeenCalledTimes(1);
    for (const [pause, calls] of [
      [499, 1],
      [1, 2],
      [1000, 3],
      [2000, 4],
      [5000, 5],
      [300_000, 5],
    ] as const) {
      await vi.advanceTimersByTimeAsync(pause);
      expect(open, `${pause} ms later`).toHaveBeenCalledTimes(calls);
    }
    expect(starter.value).toBe('open');
    expect(lines.filter(line => !line.startsWith('debug'))).toEqual([
      'error: not started: no library',
      'error: not started: no kernel',
      'info: started after all',
    ]);
  });

  it('is handed over at the end if it was just being opened', async () => {
    const { open, starter } = afterFailures('no library');
    await starter.retry();
    const attempt = starter.get();
    expect(await starter.close()).toBe('open');
    await attempt;
    expect(open).toHaveBeenCalledTimes(2);
  });

  it('is left alone after the end', async () => {
    const { open, starter } = afterFailures('no library', 'no library');
    await starter.retry();
    expect(await starter.close()).toBeUndefined();
    await starter.retry();
    await vi.advanceTimersByTimeAsync(300_000);
    expect(open).toHaveBeenCalledTimes(1);
  });
});
