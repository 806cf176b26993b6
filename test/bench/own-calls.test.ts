import { describe, expect, it } from 'vitest';
import { BUILTIN_BRIDGE, TSNET_BRIDGE } from '../../bench/cases.ts';
import { callEntries, endpointSums, OwnCalls } from '../../bench/own-calls.ts';

const call = (method: string, ms: number, endpointId?: string): string =>
  JSON.stringify({ level: 'info', message: `NetworkDriver.${method}`, ms, asked: { endpointId } });

describe('callEntries', () => {
  it('finds the calls of the engine, and nothing else', () => {
    const log = [
      '(node:1) ExperimentalWarning: words',
      '{ no JSON',
      JSON.stringify({ message: 'listening' }),
      JSON.stringify({ message: 'reconcile', ms: 40 }),
      JSON.stringify({ message: 'Plugin.Activate', ms: 4 }),
      call('Join', 1.5, 'e1'),
      JSON.stringify({ message: 'IpamDriver.RequestAddress', ms: 0.5 }),
      JSON.stringify({ message: 'NetworkDriver.Join ended after its deadline', ms: 25_000 }),
      '',
    ].join('\n');
    expect(callEntries(log)).toEqual([
      { method: 'Join', ms: 1.5, endpoint: 'e1' },
      { method: 'RequestAddress', ms: 0.5, endpoint: undefined },
    ]);
  });
});

it('adds up what is about one endpoint', () => {
  const log = [call('Join', 1, 'a'), call('Join', 10, 'b'), call('Leave', 2, 'a'), call('CreateNetwork', 99)];
  expect(endpointSums(callEntries(log.join('\n')))).toEqual([3, 10]);
});

describe('OwnCalls', () => {
  const [mine, theirs] = [TSNET_BRIDGE, BUILTIN_BRIDGE].map(one => ({ scenario: 'here', one }));

  it('books to a subject what is logged while it is measured', async () => {
    if (mine === undefined || theirs === undefined) throw new Error('no subjects');
    let log = `${call('Join', 100, 'before')}\n`;
    const own = new OwnCalls([theirs, mine], () => log);
    const during = (subject: typeof mine, ...lines: string[]) =>
      own.during(subject, async () => {
        log += `${lines.join('\n')}\n`;
        return lines.length;
      });
    expect(await during(theirs, call('Join', 50, 'stranger'))).toBe(1);
    expect(await during(mine, call('Join', 1, 'a'), call('Leave', 2, 'a'))).toBe(2);
    log += `${call('Join', 200, 'between')}\n`;
    await during(mine, call('Join', 3, 'b'), call('Leave', 4, 'b'));

    const common = { case: 'tsnet bridge', scenario: 'here', count: 2 };
    expect(own.rows('a pair')).toEqual([
      { ...common, call: 'Join', p50: 2, p99: expect.closeTo(2.98), max: 3 },
      { ...common, call: 'Leave', p50: 3, p99: expect.closeTo(3.98), max: 4 },
      { ...common, call: 'all calls of a pair', p50: 5, p99: expect.closeTo(6.96), max: 7 },
    ]);
    expect(own.rows().map(row => row.call)).toEqual(['Join', 'Leave']);
  });
});
