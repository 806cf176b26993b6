import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../lab/lab.ts';
import { waitFor } from '../lab/wait.ts';
import { createNetwork, driverOptions } from './support/bridge-lab.ts';
import { linkIndexes, startRestored } from './support/host-view.ts';
import {
  BEYOND,
  complaints,
  everything,
  inGroups,
  interfacesIn,
  madeAs,
  namesBy,
  namesIn,
  seesSandboxAtStart,
} from './support/inside-lab.ts';
import { LAN4, reaches, startContainer } from './support/macvlan-lab.ts';
import { unansweredDuring } from './support/ping-series.ts';
import { soon } from './support/soon.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

const ROUNDS = { web: 50, lan: 20 };
const MANY = 10;

/** How interfaces that tsnet has made inside containers end, and that nothing of them is left. */
describe.each(ENGINES)('lives of interfaces made inside, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;
  let before: Awaited<ReturnType<typeof everything>>;
  const atStart = seesSandboxAtStart(engine);

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
    await createNetwork(host, 'base', '--subnet', '198.18.20.0/24');
    await createNetwork(host, 'web', '--subnet', '198.18.21.0/24');
    await createNetwork(host, 'fast', '--subnet', '198.18.22.0/24', ...driverOptions({ attach: 'inside' }));
    const lan = [...LAN4, '--ip-range', '198.18.0.192/26', ...driverOptions({ parent: 'eth0' })];
    await createNetwork(host, 'lan', ...lan);
    before = await everything(host);
  });
  afterEach(async () => {
    const containers = await host.docker('ps', '-aq');
    if (containers !== '') await host.docker('rm', '-f', ...containers.split('\n'));
    await soon(async () => expect(await everything(host)).toEqual(before));
    expect(complaints(host).filter(line => line.includes(' ERROR '))).toEqual([]);
  });
  afterAll(() => lab?.destroy());

  const connect = (network: string, container = 'c1') =>
    host.docker('network', 'connect', network, container);
  const disconnect = (network: string, container = 'c1') =>
    host.docker('network', 'disconnect', network, container);
  const state = (container = 'c1') => host.docker('inspect', '-f', '{{.State.Status}}', container);

  /** Interfaces as they are told from others that have been made anew. */
  const identities = async () =>
    (await interfacesIn(host, 'c1')).map(({ ifname, ifindex, address, addr_info }) => ({
      ifname,
      ifindex,
      address,
      addresses: addr_info.map(({ local }) => local),
    }));

  /** A container with an interface of the engine's, and one that tsnet has made, on some network. */
  async function startOn(network: string): Promise<void> {
    await startContainer(host, 'c1', 'base');
    await connect(network);
    expect(await madeAs(host, 'c1', network)).toBe(BEYOND);
    expect(await namesBy(host, 'c1')).toEqual({ base: 'eth0', [network]: BEYOND });
  }

  const NETWORKS = ['web', 'lan'] as const;

  describe.each(NETWORKS)('on %s', network => {
    it('end with docker stop, and are made anew with docker start', async () => {
      await startOn(network);
      await host.docker('stop', '-t', '0', 'c1');
      await soon(async () => expect(await everything(host)).toEqual(before));
      await host.docker('start', 'c1');
      expect(Object.values(await namesBy(host, 'c1')).sort()).toEqual(['eth0', atStart ? BEYOND : 'eth1']);
      await host.docker('restart', '-t', '0', 'c1');
      expect(Object.values(await namesBy(host, 'c1')).sort()).toEqual(['eth0', atStart ? BEYOND : 'eth1']);
    });

    it('end when the container is killed or its process dies', async () => {
      await startOn(network);
      await host.docker('kill', 'c1');
      await waitFor(async () => (await state()) === 'exited', { what: 'the end of c1' });
      await soon(async () => expect(await everything(host)).toEqual(before));
      await host.docker('rm', 'c1');
      await startOn(network);
      await host.host.exec('kill', ['-KILL', await host.docker('inspect', '-f', '{{.State.Pid}}', 'c1')]);
      await waitFor(async () => (await state()) === 'exited', { what: 'the end of c1' });
      await soon(async () => expect(await everything(host)).toEqual(before));
    });

    it('end with docker rm -f', async () => {
      await startOn(network);
      await host.docker('rm', '-f', 'c1');
      await soon(async () => expect(await everything(host)).toEqual(before));
    });

    it('are not made anew once the stopped container has left the network', async () => {
      await startOn(network);
      await host.docker('stop', '-t', '0', 'c1');
      await disconnect(network);
      await host.docker('start', 'c1');
      expect(await namesBy(host, 'c1')).toEqual({ base: 'eth0' });
    });

    it('come and go again and again, with nothing left of them', async () => {
      await startContainer(host, 'c1', 'base');
      const links = await linkIndexes(host);
      const all = await everything(host);
      for (let round = 0; round < ROUNDS[network]; round++) {
        await connect(network);
        if (round % 10 === 0) expect(await namesBy(host, 'c1')).toEqual({ base: 'eth0', [network]: BEYOND });
        await disconnect(network);
      }
      await soon(async () => expect(await everything(host)).toEqual(all));
      expect(await linkIndexes(host)).toEqual(links);
      expect(await namesIn(host, 'c1')).toEqual(['eth0']);
      await connect(network);
      expect(await namesBy(host, 'c1')).toEqual({ base: 'eth0', [network]: BEYOND });
    });

    it.each(['TERM', 'KILL'] as const)('stay as they are while tsnet restarts (%s)', async signal => {
      await startOn(network);
      const there = await identities();
      const links = await linkIndexes(host);
      const gateway = network === 'lan' ? '198.18.0.1' : '198.18.21.1';
      const unanswered = await unansweredDuring(
        { inside: [{ on: host, container: 'c1' }, gateway] },
        async more => {
          await host.stop(signal);
          await more(3);
          await startRestored(host);
          await more(3);
        },
      );
      expect(unanswered['inside']).toEqual([]);
      expect(await identities()).toEqual(there);
      expect(await linkIndexes(host)).toEqual(links);
      await disconnect(network);
      await soon(async () => expect(await namesBy(host, 'c1')).toEqual({ base: 'eth0' }));
    });
  });

  it('come to many containers at once, and go', async () => {
    const names = Array.from({ length: MANY }, (_, at) => `c${at}`);
    await inGroups(names, 5, async name => {
      await startContainer(host, name, 'base');
    });
    await startContainer(host, 'peer', 'web');
    const all = await everything(host);
    await Promise.all(names.map(name => connect('web', name)));
    for (const name of names) expect(await namesBy(host, name)).toEqual({ base: 'eth0', web: BEYOND });
    const macs = (await Promise.all(names.map(name => interfacesIn(host, name))))
      .flat()
      .map(({ address }) => address);
    expect(new Set(macs).size).toBe(2 * MANY);
    await reaches({ on: host, container: 'peer' }, 'c0');
    await Promise.all(names.map(name => disconnect('web', name)));
    await soon(async () => expect(await everything(host)).toEqual(all));
    for (const name of names) expect(await namesBy(host, name)).toEqual({ base: 'eth0' });
    // all of one start, stop and end at once
    await Promise.all(names.map(name => connect(name === 'c0' ? 'lan' : 'web', name)));
    await host.docker('stop', '-t', '0', ...names);
    await host.docker('rm', '-f', 'peer');
    await soon(async () => expect(await everything(host)).toEqual(before));
  });

  it('come to one container from several networks at once', async () => {
    await startContainer(host, 'c1', 'base');
    for (let round = 0; round < 5; round++) {
      await Promise.all(['web', 'lan', 'fast'].map(network => connect(network)));
      const names = await namesBy(host, 'c1');
      expect(Object.keys(names).sort()).toEqual(['base', 'fast', 'lan', 'web']);
      await Promise.all(['web', 'lan', 'fast'].map(network => disconnect(network)));
      await soon(async () => expect(await namesBy(host, 'c1')).toEqual({ base: 'eth0' }));
    }
  });

  it('end with a container that does not start', async () => {
    await host.docker('create', '--name', 'c1', '--network', 'fast', 'busybox', '/no/such/program');
    expect(await host.refused('start', 'c1')).toContain('/no/such/program');
    await soon(async () => expect(await everything(host)).toEqual(before));
    // short lives
    for (let round = 0; round < 5; round++) {
      const run = [
        'run',
        '--rm',
        '--network',
        'fast',
        'busybox',
        'ping',
        '-c',
        '1',
        '-W',
        '2',
        '198.18.22.1',
      ];
      expect(await host.docker(...run)).toContain('1 packets received');
    }
  });
});

/** Containers whose root is somebody else on the host. */
describe.each(ENGINES)('interfaces made inside containers of a user namespace, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
    for (const file of ['/etc/subuid', '/etc/subgid'])
      await host.host.exec('tee', [file], { input: 'nobody:100000:65536\nnogroup:100000:65536\n' });
    await host.host.stopEngine();
    await host.host.startEngine(['--userns-remap', 'nobody:nogroup']);
    await host.host.loadImage();
  });
  afterAll(() => lab?.destroy());

  it('have all that others have', async () => {
    const v6 = ['--ipv6', '--subnet', '2001:db8:20::/64'];
    await createNetwork(host, 'base', '--subnet', '198.18.20.0/24', ...v6);
    const dual = ['--subnet', '198.18.21.0/24', '--ipv6', '--subnet', '2001:db8:21::/64'];
    await createNetwork(host, 'web', ...dual);
    await createNetwork(host, 'fast', '--subnet', '198.18.22.0/24', ...driverOptions({ attach: 'inside' }));
    await createNetwork(
      host,
      'lan',
      ...LAN4,
      '--ip-range',
      '198.18.0.192/27',
      ...driverOptions({ parent: 'eth0' }),
    );
    const before = await everything(host);
    await startContainer(host, 'c1', 'base');
    const pid = await host.docker('inspect', '-f', '{{.State.Pid}}', 'c1');
    expect(String((await host.host.exec('cat', [`/proc/${pid}/uid_map`])).stdout)).toMatch(
      /^\s*0\s+100000\s/,
    );
    for (const network of ['web', 'lan', 'fast']) {
      await host.docker('network', 'connect', network, 'c1');
      expect(await madeAs(host, 'c1', network)).toBe(BEYOND);
      expect(await namesBy(host, 'c1')).toEqual({ base: 'eth0', [network]: BEYOND });
      if (network === 'web') await reaches({ on: host, container: 'c1' }, '2001:db8:21::1');
      await host.docker('network', 'disconnect', network, 'c1');
      await soon(async () => expect(await namesBy(host, 'c1')).toEqual({ base: 'eth0' }));
    }
    await startContainer(host, 'c2', 'fast');
    expect(await madeAs(host, 'c2', 'fast')).toBe(seesSandboxAtStart(engine) ? 'eth0' : undefined);
    expect(await namesBy(host, 'c2')).toEqual({ fast: 'eth0' });
    await host.docker('rm', '-f', 'c1', 'c2');
    await soon(async () => expect(await everything(host)).toEqual(before));
  });
});
