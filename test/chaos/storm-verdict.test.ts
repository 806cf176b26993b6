import { describe, expect, it } from 'vitest';
import { atOnce } from '../../chaos/storm/at-once.ts';
import { summariseLog } from '../../chaos/storm/log-summary.ts';
import { stormText } from '../../chaos/storm/report.ts';
import type { Round, StormOutcome } from '../../chaos/storm/run-storm.ts';
import { memoryTrend } from '../../chaos/storm/trend.ts';
import { OF_ENGINE, total, usageOf } from '../../chaos/storm/usage.ts';
import { faultsOf } from '../../chaos/storm/verdict.ts';

/** A round after which the daemon has so much memory, in MiB, and so many sockets. */
function round(number: number, memory = 100, pipes = 9, sockets = 10): Round {
  const descriptors = new Map([
    ['pipe', pipes],
    ['netlink socket', sockets],
    [OF_ENGINE, number],
  ]);
  const usage = { memory, resident: memory + 50, peak: memory + 60, threads: 70, descriptors };
  const rested = number % 5 === 0 ? { rested: { ...usage, memory: memory - 40 } } : {};
  return { number, up: 1, down: 1, usage, ...rested, errors: [] };
}

const storm = (rounds: readonly Round[], more: Partial<StormOutcome> = {}): StormOutcome => ({
  engine: '28.5.2',
  plan: { containers: 2, rounds: rounds.length, atOnce: 2, restEvery: 5 },
  rounds,
  left: [],
  log: { calls: 0, longest: 'none', complaints: [] },
  ...more,
});

const twenty = (of: (number: number) => Round) => Array.from({ length: 20 }, (_, k) => of(k + 1));

describe('a storm’s verdict', () => {
  it('takes the first rounds, and the moments of the garbage collector, for no growth', () => {
    expect(faultsOf(storm(twenty(n => round(n, n < 5 ? 60 + 10 * n : 100 + (n % 3)))))).toEqual([]);
  });

  it('finds memory that grows by half a megabyte a round', () => {
    expect(faultsOf(storm(twenty(n => round(n, 100 + n / 2))))).toEqual([
      'memory at rest has grown from 62.5 to 70.0 MiB',
    ]);
  });

  it('finds one forgotten descriptor, and names its kind, however few the rounds', () => {
    const words = ['file descriptors have grown: +1 pipe'];
    expect(faultsOf(storm([round(1, 100, 8), round(2), round(3)]))).toEqual([]);
    expect(faultsOf(storm([round(1), round(2), round(3, 100, 10)]))).toEqual(words);
    expect(faultsOf(storm(twenty(n => round(n, 100, n === 20 ? 10 : 9))))).toEqual(words);
  });

  it('allows as many netlink sockets as there are calls at once, and the engine its connections', () => {
    const ending = (sockets: number) => storm([round(1), round(2), round(3, 100, 9, sockets)]);
    expect(faultsOf(ending(12))).toEqual([]);
    expect(faultsOf(ending(13))).toEqual(['file descriptors have grown: +3 netlink socket']);
  });

  it('counts what has failed, what is left, and what the daemon complained of', () => {
    const failed = { ...round(1), errors: ['link tsv1 is left'] };
    const log = summariseLog(
      '{"level":"warn","message":"x"}\n{"level":"debug","message":"memory given back"}\n(node:1) Warning: y\n',
    );
    const outcome = storm([failed], { left: ['1 endpoints in the store'], log });
    expect(faultsOf(outcome)).toEqual([
      'round 1: link tsv1 is left',
      'left at the end: 1 endpoints in the store',
      'the daemon complained: {"level":"warn","message":"x"}',
      'the daemon complained: (node:1) Warning: y',
    ]);
    expect(stormText(outcome)).toContain('faults: 4\n  round 1: link tsv1 is left');
  });
});

describe('what it is made of', () => {
  it('the longest call, and how many there were', () => {
    const line = (message: string, ms: number) =>
      JSON.stringify({ level: 'info', message, ms, outcome: 'ok' });
    const log = [
      line('NetworkDriver.Join', 3),
      line('IpamDriver.RequestAddress', 41.5),
      line('reconcile', 99),
    ];
    expect(summariseLog(`${log.join('\n')}\n`)).toEqual({
      calls: 2,
      longest: 'IpamDriver.RequestAddress 41.5 ms',
      complaints: [],
    });
  });

  it('a trend, once the daemon has been at rest twice since the fifth round', () => {
    const [fifth, sixth, tenth] = [round(5, 90), round(6, 200), round(10, 95)];
    expect(memoryTrend([round(1), fifth, sixth])).toBeUndefined();
    expect(memoryTrend([round(1), fifth, sixth, tenth])).toEqual({ from: 50, to: 55 });
  });

  it('the usage of a process', () => {
    const usage = usageOf(process.pid);
    expect(usage.resident).toBeGreaterThan(usage.memory);
    expect(usage.peak).toBeGreaterThanOrEqual(usage.resident);
    expect(usage.threads).toBeGreaterThan(1);
    expect(total(usage.descriptors)).toBeGreaterThan(3);
  });

  it('no more than so many at once, and all of them', async () => {
    let [running, most] = [0, 0];
    const done: number[] = [];
    await atOnce(3, [1, 2, 3, 4, 5, 6, 7], async item => {
      running += 1;
      most = Math.max(most, running);
      await new Promise(setImmediate);
      running -= 1;
      done.push(item);
    });
    expect(done.sort()).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(most).toBe(3);
  });
});
