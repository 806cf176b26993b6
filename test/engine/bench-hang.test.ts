import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BenchHost, EngineHangs } from '../../bench/bench-host.ts';
import { TSNET_BRIDGE } from '../../bench/cases.ts';
import { Leaks } from '../../bench/measures/leaks.ts';
import { STAYS } from '../../bench/scenarios.ts';

const SUBJECT = { scenario: STAYS, one: TSNET_BRIDGE };
const NAMES = ['c0', 'c1'];
let host: BenchHost;

beforeAll(async () => {
  host = await BenchHost.boot('28');
});
afterAll(() => host[Symbol.asyncDispose]());

/** Answers every call but Join, which the engine then waits for, as it waits for its own locks when they are at odds. */
const MUTE = `
  require('node:http').createServer((request, response) => {
    const isJoin = request.url === '/NetworkDriver.Join';
    const answers = { '/Plugin.Activate': { Implements: ['NetworkDriver'] }, '/NetworkDriver.GetCapabilities': { Scope: 'local' } };
    request.resume().on('end', () => isJoin || response.end(JSON.stringify(answers[request.url] ?? {})));
  }).listen('/run/docker/plugins/mute.sock', () => console.log('listens'));
`;

const storm = async () => {
  await host.createNetwork('storm', { driver: 'tsnet', subnet: '198.18.32.0/24' });
  for (const name of NAMES) await host.runIdle(name, 'storm');
};

describe('a storm in which the engine hangs', () => {
  it('is noticed, counted, and leaves nothing in the way of the next one', async () => {
    const mute = await host.tsnet.host.spawn('node', ['-e', MUTE]);
    await mute.waitForOutput('listens');
    const leaks = new Leaks(host, [SUBJECT]);
    await storm();
    await host.createNetwork('mute', { driver: 'mute', subnet: '198.18.33.0/24' });
    const connect = host.call('POST', '/networks/mute/connect', 200, { Container: 'c0' }, 500);
    await expect(connect).rejects.toThrow(EngineHangs);
    await leaks.recover(SUBJECT, 'storm', NAMES);
    await host.expectClean();
    expect(leaks.rows()).toEqual([
      { scenario: STAYS, case: TSNET_BRIDGE.name, storms: 0, leaked: 0, hung: 1 },
    ]);
    await storm();
    await host.tsnet.docker('rm', '-f', ...NAMES);
    expect(await leaks.removeNetwork(SUBJECT, 'storm')).toBe(false);
    expect(leaks.rows()).toMatchObject([{ storms: 1, leaked: 0, hung: 1 }]);
  });
});
