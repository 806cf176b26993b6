import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Repairer } from '../../src/reconcile/repairer.ts';
import { logLines } from './log-lines.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const setUp = (run: (loss: string) => Promise<void> = async () => undefined) => {
  const { log, lines } = logLines();
  const spy = vi.fn(run);
  return { repairer: new Repairer(spy, log), run: spy, lines };
};

describe('Repairer', () => {
  it('makes one repair of a burst, told the first loss', async () => {
    const { repairer, run } = setUp();
    for (const loss of ['link a removed', 'link b removed', 'link c removed']) repairer.repair(loss);
    expect(run).not.toHaveBeenCalled();
    await vi.runAllTimersAsync();
    expect(run.mock.calls).toEqual([['link a removed']]);
  });

  it('repairs anew what is lost after a repair has begun', async () => {
    const { repairer, run } = setUp();
    repairer.repair('one');
    await vi.runAllTimersAsync();
    repairer.repair('two');
    await vi.runAllTimersAsync();
    expect(run.mock.calls).toEqual([['one'], ['two']]);
  });

  it('is not held up by a burst that does not end', async () => {
    const { repairer, run } = setUp();
    for (let ms = 0; ms < 200; ms += 5) {
      repairer.repair(`at ${ms}`);
      await vi.advanceTimersByTimeAsync(5);
    }
    expect(run.mock.calls.length).toBeGreaterThan(3);
  });

  it('logs a repair that fails, and goes on', async () => {
    const { repairer, run, lines } = setUp(async () => {
      throw new Error('no luck');
    });
    repairer.repair('link a removed');
    await vi.runAllTimersAsync();
    repairer.repair('link b removed');
    await vi.runAllTimersAsync();
    expect(run).toHaveBeenCalledTimes(2);
    expect(lines).toContain('error: repair after "link a removed": Error: no luck');
  });

  it('does nothing any more once it is closed', async () => {
    const { repairer, run } = setUp();
    repairer.repair('one');
    repairer.close();
    repairer.repair('two');
    await vi.runAllTimersAsync();
    expect(run).not.toHaveBeenCalled();
  });
});
