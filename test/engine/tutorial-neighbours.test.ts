import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../lab/lab.ts';
import {
  clean,
  createNetwork,
  driverOptions,
  routesIn,
  seenAs,
  serveName,
  startPeerServer,
  talk,
} from './support/bridge-lab.ts';
import { answers, reaches, startContainer } from './support/macvlan-lab.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

const LAN = '198.18.0.1';

/** tsnet beside what else an engine has: the host's own network, a shared one, none, the engine's bridges. */
describe.each(ENGINES)('beside other kinds of network, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
    await startPeerServer(lab.lan);
  });
  afterEach(() => clean(host));
  afterAll(() => lab?.destroy());

  const inside = (container: string) => ({ on: host, container });

  it('reaches containers from one on the network of the host, and back', async () => {
    await createNetwork(host, 'web', '--subnet', '198.18.9.0/24');
    const c1 = await startContainer(host, 'c1', 'web');
    await host.docker('run', '-d', '--name', 'onhost', '--network', 'host', 'busybox', 'sleep', '1d');
    await serveName(host, 'c1');
    await serveName(host, 'onhost', 8080);
    expect(await talk(inside('onhost'), c1.address4, 80)).toBe('c1');
    expect(await talk(inside('c1'), '198.18.9.1', 8080)).toBe('onhost');
    expect(await talk(inside('c1'), host.host.address, 8080)).toBe('onhost');
  });

  it('shares its network with a container of --network container:', async () => {
    await createNetwork(host, 'web');
    const c1 = await startContainer(host, 'c1', 'web');
    await startContainer(host, 'peer', 'web');
    const shared = ['--network', 'container:c1', 'busybox', 'sleep', '1d'];
    await host.docker('run', '-d', '--name', 'sidecar', ...shared);
    await serveName(host, 'sidecar');
    expect(await talk(inside('c1'), '127.0.0.1', 80)).toBe('sidecar');
    expect(await talk(inside('peer'), 'c1', 80)).toBe('sidecar');
    expect(await talk(host.host, c1.address4, 80)).toBe('sidecar');
    expect(await answers(inside('sidecar'), 'peer')).toBe(true);
    expect(await answers(inside('sidecar'), LAN)).toBe(true);
  });

  it('leaves --network none alone', async () => {
    await createNetwork(host, 'web');
    const links = await host.links();
    await host.docker('run', '-d', '--name', 'alone', '--network', 'none', 'busybox', 'sleep', '1d');
    expect(await host.docker('exec', 'alone', 'ls', '/sys/class/net')).toBe('lo');
    expect(await host.links()).toEqual(links);
  });

  it('is the second network of a container on the default bridge, and the first', async () => {
    await createNetwork(host, 'web', '--subnet', '198.18.9.0/24');
    await startContainer(host, 'peer', 'web');
    const other = await startContainer(host, 'other', 'bridge');
    await startContainer(host, 'c1', 'bridge');
    await host.docker('network', 'connect', 'web', 'c1');
    await startContainer(host, 'c2', 'web');
    await host.docker('network', 'connect', 'bridge', 'c2');
    for (const name of ['c1', 'c2']) {
      expect(await answers(inside(name), 'peer'), name).toBe(true);
      expect(await answers(inside(name), other.address4), name).toBe(true);
      expect(await seenAs(inside(name), LAN), name).toBe(host.host.address);
      // the engine's order is that of the names, and `bridge` comes before `web`
      expect(await routesIn(host, name)).toContain('default via 172.17.0.1');
      await host.docker('network', 'disconnect', 'bridge', name);
      expect(await routesIn(host, name)).toContain('default via 198.18.9.1');
      expect(await seenAs(inside(name), LAN), name).toBe(host.host.address);
    }
  });

  it('has containers on a bridge and on the LAN at once', async () => {
    await createNetwork(host, 'web', '--subnet', '198.18.9.0/24');
    const onLan = ['--subnet', '198.18.0.0/24', '--gateway', LAN, '--ip-range', '198.18.0.192/27'];
    await createNetwork(host, 'lan', ...onLan, ...driverOptions({ parent: 'eth0' }));
    await startContainer(host, 'peer', 'web');
    const c1 = await startContainer(host, 'c1', 'lan');
    await host.docker('network', 'connect', 'web', 'c1');
    await reaches(lab.lan, c1.address4);
    expect(await answers(inside('c1'), 'peer')).toBe(true);
    expect(await seenAs(inside('c1'), LAN)).toBe(c1.address4);
    await reaches(inside('peer'), c1.address4);
    expect(await answers(inside('peer'), LAN)).toBe(true);
  });

  it('is cut off from the LAN by an internal network alone, and has the way out of another', async () => {
    await createNetwork(host, 'inner', '--internal');
    await createNetwork(host, 'outer', '--subnet', '198.18.9.0/24');
    await startContainer(host, 'db', 'inner');
    await startContainer(host, 'app', 'outer');
    await host.docker('network', 'connect', 'inner', 'app');
    expect(await answers(inside('app'), 'db')).toBe(true);
    expect(await seenAs(inside('app'), LAN)).toBe(host.host.address);
    expect(await routesIn(host, 'app')).toContain('default via 198.18.9.1');
    expect(await answers(inside('db'), LAN)).toBe(false);
    await host.docker('network', 'disconnect', 'outer', 'app');
    expect(await answers(inside('app'), LAN)).toBe(false);
    expect(await answers(inside('app'), 'db')).toBe(true);
  });
});
