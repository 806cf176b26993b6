import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Lab } from '../lab/lab.ts';
import { waitFor } from '../lab/wait.ts';
import { createNetwork } from './support/bridge-lab.ts';
import { startRestored } from './support/host-view.ts';
import {
  asks,
  bind,
  expectUnpublished,
  mapElements,
  portRows,
  published,
  ready,
  startServer,
} from './support/publish-lab.ts';
import { soon } from './support/soon.ts';
import { ENGINES, TsnetHost, tsnetLab } from './support/tsnet-host.ts';

const LAN = '198.18.0.1';
const HOST = '198.18.0.11';
const HOST6 = '[fd99::b]';
const SUBNET = ['--subnet', '198.18.9.0/24'];
const PUBLISH = ['-p', '8080:80', '-p', '8080:80/udp', '-p', '127.0.0.1:8081:80'];
const PLACES = [
  '0.0.0.0:8080/tcp',
  '0.0.0.0:8080/udp',
  '[::]:8080/tcp',
  '[::]:8080/udp',
  '127.0.0.1:8081/tcp',
];

/** That all that is published for a container, `c1` unless another is named, is reached and held. */
async function expectOpen(lab: Lab, host: TsnetHost, name = 'c1'): Promise<void> {
  expect(await asks(lab.lan, `${HOST}:8080`, `${HOST}:8080/udp`, `${HOST6}:8080`)).toEqual({
    [`${HOST}:8080`]: `${name} ${LAN}`,
    [`${HOST}:8080/udp`]: `${name} ${LAN}`,
    // relayed by the daemon
    [`${HOST6}:8080`]: `${name} 198.18.9.1`,
  });
  expect(await asks(host.host, '127.0.0.1:8081')).toEqual({ '127.0.0.1:8081': `${name} 198.18.9.1` });
  expect(Object.values(await bind(host, ...PLACES))).toEqual(PLACES.map(() => 'EADDRINUSE'));
}

describe.each(ENGINES)('published ports over a restart, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
    await createNetwork(host, 'web', ...SUBNET);
  });
  afterEach(async () => {
    await host.host.discard('c1', 'c2');
    await expectUnpublished(host, ...PLACES);
  });
  afterAll(() => lab?.destroy());

  it.each(['KILL', 'TERM'] as const)(
    'of tsnet (%s) are reached all the time, and held after',
    async signal => {
      await startServer(host, 'c1', 'web', ...PUBLISH);
      const before = [await portRows(host), await mapElements(host)];
      await host.stop(signal);
      expect(await asks(lab.lan, `${HOST}:8080`, `${HOST}:8080/udp`)).toEqual({
        [`${HOST}:8080`]: `c1 ${LAN}`,
        [`${HOST}:8080/udp`]: `c1 ${LAN}`,
      });
      await startRestored(host);
      expect([await portRows(host), await mapElements(host)]).toEqual(before);
      await expectOpen(lab, host);
      expect(
        await host.refused('run', '--rm', '--network', 'web', '-p', '8080:80', 'busybox', 'true'),
      ).toContain('PORT_TAKEN: port 0.0.0.0:8080/tcp is taken by ');
      await host.docker('stop', 'c1');
      await expectUnpublished(host, ...PLACES);
    },
  );

  it('of tsnet are gone when the container went while it was away', async () => {
    await startServer(host, 'c1', 'web', ...PUBLISH);
    await host.stop('KILL');
    const pid = await host.docker('inspect', '-f', '{{.State.Pid}}', 'c1');
    await host.host.exec('kill', ['-9', pid]);
    await startRestored(host);
    await waitFor(async () => (await published(host)).length === 0, {
      timeout: 30_000,
      what: 'the ports to be closed',
    });
    // The intent goes first.
    await soon(() => expectUnpublished(host, ...PLACES));
  });

  it('of the engine, which is killed and says nothing, are free for the next container', async () => {
    await startServer(host, 'c1', 'web', ...PUBLISH);
    await host.host.stopEngine('KILL');
    await host.host.startEngine();
    expect(await host.docker('inspect', '-f', '{{.State.Running}}', 'c1')).toBe('false');
    await startServer(host, 'c2', 'web', ...PUBLISH);
    await expectOpen(lab, host, 'c2');
    expect(new Set((await portRows(host)).map(row => row.container))).toEqual(new Set(['c2']));
    await host.docker('rm', '-f', 'c2');
    await host.docker('start', 'c1');
    await ready(host, 'c1');
    await expectOpen(lab, host);
  });
});

describe.each(ENGINES)('published ports with live-restore, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine, daemonJson: { 'live-restore': true } }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
    await createNetwork(host, 'web', ...SUBNET);
  });
  afterAll(() => lab?.destroy());

  it.each([
    ['TERM', 'stop'],
    ['KILL', 'stop'],
    ['KILL', 'rm'],
  ] as const)('outlive the engine (%s), and end with docker %s', async (signal, command) => {
    await startServer(host, 'c1', 'web', ...PUBLISH);
    const before = await mapElements(host);
    await host.host.stopEngine(signal);
    await expectOpen(lab, host);
    await host.host.startEngine();
    await expectOpen(lab, host);
    expect(await mapElements(host)).toEqual(before);
    if (command === 'stop') {
      await host.docker('stop', 'c1');
      await expectUnpublished(host, ...PLACES);
      await host.docker('start', 'c1');
      await ready(host, 'c1');
      await expectOpen(lab, host);
    }
    await host.docker('rm', '-f', 'c1');
    await expectUnpublished(host, ...PLACES);
  });
});

describe.each(ENGINES)('published ports of --restart always, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;

  /** As the units do it: tsnet is ready before the engine starts. */
  const start = async () => {
    await startRestored(host);
    await host.host.startEngine();
  };

  beforeAll(async () => {
    lab = await Lab.create({ disk: 'dir', hosts: [{ engine, autostart: false }] });
    host = new TsnetHost(lab.host());
    await start();
    await host.host.loadImage();
    await createNetwork(host, 'web', ...SUBNET);
  });
  afterAll(() => lab?.destroy());

  it('are back after a boot of the host', async () => {
    await startServer(host, 'c1', 'web', '--restart', 'always', ...PUBLISH);
    await expectOpen(lab, host);
    await host.host.crash();
    await host.host.boot();
    await start();
    await waitFor(async () => (await published(host)).length === PLACES.length, { what: 'the ports of c1' });
    await ready(host, 'c1');
    await expectOpen(lab, host);
    await host.docker('rm', '-f', 'c1');
    await expectUnpublished(host, ...PLACES);
  });
});
