import { getPriority } from 'node:os';
import { describe, expect, it } from 'vitest';
import { BareHost } from '../../bench/limits/bare-host.ts';
import { measureAttach } from '../../bench/limits/measure-attach.ts';
import { startTimes } from '../../bench/limits/measure-start.ts';
import { storm } from '../../bench/limits/measure-storm.ts';
import { populate } from '../../bench/limits/population.ts';

// What `make bench` holds to its limits, with margins for a machine that does other things as well.
describe('the daemon alone', () => {
  it('answers soon after its start, restored, and is small when idle', async () => {
    await using host = await BareHost.create();
    const times: number[] = [];
    for (let k = 0; k < 4; k++) times.push((await startTimes(host)).restored);
    expect(Math.min(...times)).toBeLessThan(1500);
    const { own, resident } = (await host.start().ready()).memory();
    expect(own).toBeLessThan(60);
    expect(resident).toBeLessThan(140);
  });

  it('takes one more container as fast with 150 there as with 5, and is soon back with all of them', async () => {
    await using few = await BareHost.create();
    await using many = await BareHost.create();
    const filled = async (what: string, host: BareHost, networks: number, each: number) => {
      const daemon = await host.start().ready();
      return { what, host, daemon, population: await populate(host, daemon, { networks, each }) };
    };
    const candidates = [await filled('5', few, 1, 5), await filled('150', many, 30, 5)];
    const ratios = (await measureAttach(candidates, 3)).filter(({ unit }) => unit === 'x');
    expect(ratios).toHaveLength(2);
    for (const { got } of ratios) expect(got).toBeLessThan(3);
    for (const { daemon } of candidates) {
      expect(daemon.memory().own).toBeLessThan(150);
      await daemon.stop();
    }
    expect(Math.min((await startTimes(many)).restored, (await startTimes(many)).restored)).toBeLessThan(3000);
  });

  it('lets its event loop go first, and nothing else of it', async () => {
    await using host = await BareHost.create();
    const { loop, others } = (await host.start().ready()).niceness();
    const own = getPriority();
    expect(loop).toBe(-20);
    expect(others.length).toBeGreaterThan(60);
    expect(new Set(others)).toEqual(new Set([own]));
  });

  it('goes on answering in a storm of 40 containers, and leaves no link behind', async () => {
    const { delay, answer, gone } = await storm(40);
    expect(delay.p99).toBeLessThan(150);
    expect(answer.p99).toBeLessThan(500);
    expect(gone).toBeLessThan(2000);
  });
});
