import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../lab/lab.ts';
import { createNetwork, driverOptions } from './support/bridge-lab.ts';
import { startRestored } from './support/host-view.ts';
import {
  BEYOND,
  complaints,
  everything,
  interfacesIn,
  namesBy,
  seesSandboxAtStart,
} from './support/inside-lab.ts';
import { LAN4, reaches, startContainer } from './support/macvlan-lab.ts';
import { unansweredDuring } from './support/ping-series.ts';
import { soon } from './support/soon.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

/** An engine that restarts under its containers has not moved the interfaces that tsnet has made in them. */
describe.each(ENGINES)('live-restore of engine %s with interfaces made inside', engine => {
  let lab: Lab;
  let host: TsnetHost;
  let before: Awaited<ReturnType<typeof everything>>;
  let logged = 0;
  const atStart = seesSandboxAtStart(engine);

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine, daemonJson: { 'live-restore': true } }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
    await createNetwork(host, 'web', '--subnet', '198.18.20.0/24');
    await createNetwork(host, 'app', '--subnet', '198.18.21.0/24');
    const lan = [...LAN4, '--ip-range', '198.18.0.192/27', ...driverOptions({ parent: 'eth0' })];
    await createNetwork(host, 'lan', ...lan);
    const inside = driverOptions({ attach: 'inside' });
    await createNetwork(host, 'i1', '--subnet', '198.18.22.0/24', ...inside);
    const vpn = driverOptions({ 'com.docker.network.container_iface_prefix': 'vpn' });
    await createNetwork(host, 'i2', '--subnet', '198.18.23.0/24', ...inside);
    await createNetwork(host, 'vpn', '--subnet', '198.18.24.0/24', ...vpn);
    await host.docker('network', 'create', '--subnet', '198.18.30.0/24', 'plain');
    before = await everything(host);
  });
  afterEach(async () => {
    const remove = async () => {
      const { stdout } = await host.host.docker('ps', '-aq');
      if (stdout !== '') await host.host.docker('rm', '-f', ...String(stdout).split('\n'));
    };
    await remove();
    const said = host.host.engineOutput();
    const panics = said.slice(logged).match(/^.*\bpanic\b.*$/gm) ?? [];
    logged = said.length;
    if (panics.length > 0) {
      // What it has lost count of is not to be held against the tests that follow.
      await restartEngine('KILL');
      await remove();
      before = await everything(host);
    }
    expect(panics, 'panics of the engine').toEqual([]);
    await soon(async () => expect(await everything(host)).toEqual(before));
    expect(complaints(host).filter(line => line.includes(' ERROR '))).toEqual([]);
  });
  afterAll(() => lab?.destroy());

  const connect = (network: string) => host.docker('network', 'connect', network, 'c1');
  const disconnect = (network: string) => host.docker('network', 'disconnect', network, 'c1');
  const restartEngine = async (signal: 'TERM' | 'KILL') => {
    await host.host.stopEngine(signal);
    await host.host.startEngine();
  };
  /** Interfaces as they are told from others that have been made anew. */
  const identities = async () =>
    (await interfacesIn(host, 'c1')).map(({ ifname, ifindex, address }) => ({ ifname, ifindex, address }));

  it.each([
    { network: 'web', gateway: '198.18.20.1', signal: 'TERM' },
    { network: 'lan', gateway: '198.18.0.1', signal: 'KILL' },
  ] as const)(
    'a container connected to $network keeps its networks, and leaves each of them alone ($signal)',
    async ({ network, gateway, signal }) => {
      await startContainer(host, 'c1', 'app');
      await connect(network);
      expect(await namesBy(host, 'c1')).toEqual({ app: 'eth0', [network]: BEYOND });
      const there = await identities();
      const unanswered = await unansweredDuring(
        { inside: [{ on: host, container: 'c1' }, gateway] },
        async more => {
          await restartEngine(signal);
          await more(3);
        },
      );
      expect(unanswered['inside']).toEqual([]);
      expect(await identities()).toEqual(there);
      expect(await namesBy(host, 'c1')).toEqual({ app: 'eth0', [network]: BEYOND });

      // exactly this one goes, and nothing of it stays in the container or on the host
      const links = before['links'] ?? [];
      await disconnect(network);
      await soon(async () => {
        expect(await namesBy(host, 'c1')).toEqual({ app: 'eth0' });
        const now = (await everything(host))['links'] ?? [];
        expect(now.filter(link => !links.includes(link))).toEqual([expect.stringMatching(/^tsv/)]);
      });
      // again, and again: engines from 28.0 to 29.6 do not outlive a second one that is made inside
      for (let round = 0; round < 2; round++) {
        await connect(network);
        expect(Object.keys(await namesBy(host, 'c1')).sort()).toEqual(['app', network].sort());
        await disconnect(network);
        await soon(async () => expect(await namesBy(host, 'c1')).toEqual({ app: 'eth0' }));
      }
      await connect(network);
      // and the engine has not lost count of its own
      await connect('plain');
      const names = await namesBy(host, 'c1');
      expect(names).toMatchObject({ app: 'eth0' });
      await disconnect('app');
      delete names['app'];
      expect(await namesBy(host, 'c1')).toEqual(names);
      await host.docker('restart', '-t', '0', 'c1');
      expect(Object.keys(await namesBy(host, 'c1')).sort()).toEqual([network, 'plain'].sort());
    },
  );

  it("loses the engine's network first, and keeps tsnet's", async () => {
    await startContainer(host, 'c1', 'plain');
    await connect('web');
    await restartEngine('KILL');
    await disconnect('plain');
    await soon(async () => expect(await namesBy(host, 'c1')).toEqual({ web: BEYOND }));
    await connect('app');
    expect((await namesBy(host, 'c1'))['web']).toBe(BEYOND);
    await disconnect('web');
    await soon(async () => expect(Object.keys(await namesBy(host, 'c1'))).toEqual(['app']));
  });

  it('a container with a further network that was left to the engine keeps each apart', async () => {
    await startContainer(host, 'c1', 'plain');
    await connect('web');
    await connect('app');
    const names = { plain: 'eth0', web: BEYOND, app: 'eth1' };
    expect(await namesBy(host, 'c1')).toEqual(names);
    await restartEngine('KILL');
    expect(await namesBy(host, 'c1')).toEqual(names);
    await disconnect('app');
    await soon(async () => expect(await namesBy(host, 'c1')).toEqual({ plain: 'eth0', web: BEYOND }));
    await disconnect('web');
    await soon(async () => expect(await namesBy(host, 'c1')).toEqual({ plain: 'eth0' }));
  });

  it('with tsnet restarted as well, and two engines in a row', async () => {
    await startContainer(host, 'c1', 'app');
    await connect('web');
    const there = await identities();
    for (const signal of ['TERM', 'KILL'] as const) {
      await Promise.all([host.host.stopEngine(signal), host.stop(signal)]);
      await startRestored(host);
      await host.host.startEngine();
      expect(await identities()).toEqual(there);
      await namesBy(host, 'c1');
    }
    await disconnect('web');
    await soon(async () => expect(await namesBy(host, 'c1')).toEqual({ app: 'eth0' }));
  });

  it('a container stops, and starts again, after the engine has restarted', async () => {
    await startContainer(host, 'c1', 'app');
    await connect('web');
    await restartEngine('KILL');
    await host.docker('stop', '-t', '0', 'c1');
    await soon(async () => expect(await everything(host)).toEqual(before));
    await host.docker('start', 'c1');
    expect(Object.keys(await namesBy(host, 'c1')).sort()).toEqual(['app', 'web']);
  });

  it('a container that died while the engine was away leaves nothing', async () => {
    await startContainer(host, 'c1', 'app');
    await connect('web');
    await connect('lan');
    const pid = await host.docker('inspect', '-f', '{{.State.Pid}}', 'c1');
    await host.host.stopEngine('KILL');
    await host.host.exec('kill', ['-KILL', pid]);
    await host.host.startEngine();
    expect(await host.docker('inspect', '-f', '{{.State.Running}}', 'c1')).toBe('false');
    await host.docker('start', 'c1');
    expect(Object.keys(await namesBy(host, 'c1')).sort()).toEqual(['app', 'lan', 'web']);
  });

  it('with attach=inside alone', async () => {
    await startContainer(host, 'c1', 'i1');
    await restartEngine('KILL');
    expect(await namesBy(host, 'c1')).toEqual({ i1: 'eth0' });
    await connect('i2');
    const names = await namesBy(host, 'c1');
    expect(names['i1']).toBe('eth0');
    await disconnect('i1');
    delete names['i1'];
    await soon(async () => expect(await namesBy(host, 'c1')).toEqual(names));
    await connect('i1');
    await reaches({ on: host, container: 'c1' }, '198.18.22.1');
  });

  it('with attach=inside, and another network of tsnet', async context => {
    context.skip(!atStart, "the first one is always the engine's");
    await startContainer(host, 'c1', 'i1');
    await connect('vpn');
    const names = await namesBy(host, 'c1');
    await restartEngine('KILL');
    expect(await namesBy(host, 'c1')).toEqual(names);
    await disconnect('vpn');
    delete names['vpn'];
    await soon(async () => expect(await namesBy(host, 'c1')).toEqual(names));
    await connect('vpn');
    await namesBy(host, 'c1');
    await disconnect('i1');
    await soon(async () => expect(Object.keys(await namesBy(host, 'c1'))).toEqual(['vpn']));
    await host.docker('stop', '-t', '0', 'c1');
  });
});
