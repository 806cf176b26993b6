import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES } from '../engine/support/tsnet-host.ts';
import { BootHost, type BootTimes, type Driver, type End } from './support/boot-host.ts';

/** Seconds that tsnet may delay a boot, beside the same containers on Docker's own networks. */
const DELAY = 2;
/** Boots are compared at their best: a machine that does other things delays single ones by seconds. */
const ROUNDS = 6;
const DRIVERS: readonly Driver[] = ['daemon', 'plugin', 'none'];

describe.each(ENGINES)('engine %s under Debian’s docker.service', engine => {
  let hosts: BootHost[];

  beforeAll(async () => {
    hosts = await Promise.all(DRIVERS.map(driver => BootHost.create(driver, engine)));
  });
  afterAll(async () => {
    for (const host of hosts ?? []) await host[Symbol.asyncDispose]();
  });

  it.each<End>(['reboot', 'power loss'])(
    'has all its containers again after a %s, no later than without tsnet',
    { timeout: 400_000 },
    async end => {
      const best = new Map<Driver, BootTimes>();
      const delayOf = (driver: Driver) => wholeOf(best, driver) - wholeOf(best, 'none');
      const isLate = () => DRIVERS.some(driver => delayOf(driver) >= DELAY);
      for (let round = 1; round === 1 || (round <= ROUNDS && isLate()); round++) {
        for (const host of hosts) {
          const times = await host.boot(end);
          if (times.whole < wholeOf(best, host.driver)) best.set(host.driver, times);
          await host.isWhole();
          expect(await host.complaints()).toEqual([]);
          if (host.driver !== 'none') expectReadyFirst(await host.log());
        }
      }
      console.log(
        [...best]
          .map(
            ([driver, { whole, engine: of }]) =>
              `boot after a ${end}, engine ${engine}, tsnet: ${driver}: ${whole.toFixed(2)} s, engine ${of.toFixed(2)} s`,
          )
          .join('\n'),
      );
      for (const driver of DRIVERS) expect(delayOf(driver)).toBeLessThan(DELAY);
    },
  );

  it('starts the socket before the engine, and the daemon without waiting for it', async () => {
    const [{ host }] = hosts as [BootHost];
    const time = async (unit: string, name: string) => Number(await host.property(unit, name));
    const engineStart = await time('docker.service', 'InactiveExitTimestampMonotonic');
    expect(await time('tsnet.socket', 'ActiveEnterTimestampMonotonic')).toBeLessThan(engineStart);
    expect(await time('tsnet.service', 'ActiveEnterTimestampMonotonic')).toBeLessThan(engineStart);
    for (const unit of ['tsnet.service', 'docker.service']) {
      expect(await host.property(unit, 'NRestarts')).toBe('0');
    }
  });
});

const wholeOf = (times: ReadonlyMap<Driver, BootTimes>, driver: Driver): number =>
  times.get(driver)?.whole ?? Number.POSITIVE_INFINITY;

/** The host is restored before any call about a network, an endpoint or an address is answered. */
function expectReadyFirst(log: readonly string[]): void {
  const ready = log.findIndex(line => line.includes('reconcile reason=start'));
  const call = /(NetworkDriver|IpamDriver)\.\w+ outcome=/;
  const answered = log.findIndex(line => call.test(line) && !/\.Get\w+ outcome=/.test(line));
  expect(ready).toBeGreaterThanOrEqual(0);
  expect(answered).toBeGreaterThan(ready);
}
