import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../lab/lab.ts';
import {
  answers,
  attached,
  ipJson,
  LAN4,
  LAN6,
  markedRoutes,
  neighbourOf,
  otherEngine,
  reaches,
  startContainer,
  wipe,
} from './support/macvlan-lab.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

const PARENT = ['-o', 'parent=eth0'];

describe.each(ENGINES)('macvlan on the LAN, engine %s', engine => {
  let lab: Lab;
  let a: TsnetHost;
  let b: TsnetHost;

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }, { engine: otherEngine(engine) }] });
    lab = made.lab;
    [a, b] = made.hosts as [TsnetHost, TsnetHost];
  });
  afterEach(async () => {
    await Promise.all([wipe(a), wipe(b)]);
  });
  afterAll(() => lab?.destroy());

  const create = (host: TsnetHost, name: string, ...options: string[]) =>
    host.docker('network', 'create', '-d', 'tsnet', ...options, name);

  it('joins containers to the LAN with the command of the README', async () => {
    const aux = ['--aux-address', 'host=198.18.0.223'];
    await create(a, 'lan', ...LAN4, '--ip-range', '198.18.0.192/27', ...aux, ...PARENT);
    await create(b, 'lan', ...LAN4, '--ip-range', '198.18.0.64/27', ...PARENT);
    const c1 = await startContainer(a, 'c1', 'lan');
    const c2 = await startContainer(a, 'c2', 'lan');
    const far = await startContainer(b, 'far', 'lan');
    expect(c1.address4).toMatch(/^198\.18\.0\.(19[2-9]|20\d|21\d|22[0-2])$/);
    expect(far.address4).toMatch(/^198\.18\.0\.(6[4-9]|[78]\d|9[0-5])$/);

    // the LAN node, the other host, its containers, the container next to it, and its own host: both ways
    await reaches(lab.lan, c1.address4);
    await reaches(b.host, c1.address4);
    await reaches(a.host, c1.address4);
    const from = { on: a, container: 'c1' };
    for (const address of ['198.18.0.1', b.host.address, far.address4, c2.address4, a.host.address]) {
      await reaches(from, address);
    }
    await reaches({ on: b, container: 'far' }, c1.address4);
    await reaches({ on: a, container: 'c2' }, 'c1');

    // On the LAN each container is itself: its own MAC, no NAT.
    expect(await neighbourOf(lab.lan, c1.address4)).toBe(c1.mac);
    expect(await neighbourOf(b.host, c1.address4)).toBe(c1.mac);
    expect(await a.docker('exec', 'c1', 'ip', 'route')).toContain('default via 198.18.0.1 ');
  });

  it('carries IPv6 beside IPv4, and both ways', async () => {
    await create(
      a,
      'dual',
      ...LAN4,
      '--ip-range',
      '198.18.0.192/27',
      ...LAN6,
      '--ip-range',
      'fd99::a:0/112',
      ...PARENT,
    );
    await create(
      b,
      'dual',
      ...LAN4,
      '--ip-range',
      '198.18.0.64/27',
      ...LAN6,
      '--ip-range',
      'fd99::b:0/112',
      ...PARENT,
    );
    const near = await startContainer(a, 'near', 'dual');
    const far = await startContainer(b, 'far', 'dual');
    expect(near.address6).toMatch(/^fd99::a:[0-9a-f]+$/);
    await reaches(lab.lan, near.address6);
    await reaches(b.host, near.address6);
    await reaches({ on: b, container: 'far' }, near.address6);
    const from = { on: a, container: 'near' };
    for (const address of ['fd99::1', b.host.address6, far.address6, far.address4, '198.18.0.1']) {
      await reaches(from, address);
    }
    expect(await neighbourOf(lab.lan, near.address6)).toBe(near.mac);
    expect(await a.docker('exec', 'near', 'ip', '-6', 'route')).toContain('default via fd99::1');
  });

  it('gives the address, the MAC and the MTU that are asked for', async () => {
    await create(a, 'lan', ...LAN4, ...LAN6, ...PARENT, '-o', 'com.docker.network.driver.mtu=1400');
    const mac = '02:00:5e:10:20:30';
    // By way of the API: new docker clients refuse --mac-address towards old engines.
    const made = await a.host.api('POST', '/v1.41/containers/create?name=one', {
      Image: 'busybox',
      Cmd: ['sleep', '1d'],
      MacAddress: mac,
      HostConfig: { NetworkMode: 'lan' },
      NetworkingConfig: {
        EndpointsConfig: { lan: { IPAMConfig: { IPv4Address: '198.18.0.150', IPv6Address: 'fd99::150' } } },
      },
    });
    expect(made.status).toBe(201);
    await a.docker('start', 'one');
    expect(await attached(a, 'one', 'lan')).toEqual({
      name: 'one',
      address4: '198.18.0.150',
      address6: 'fd99::150',
      mac,
    });
    await reaches(lab.lan, '198.18.0.150');
    await reaches(lab.lan, 'fd99::150');
    expect(await neighbourOf(lab.lan, '198.18.0.150')).toBe(mac);
    expect(await a.docker('exec', 'one', 'cat', '/sys/class/net/eth0/mtu')).toBe('1400');
    expect(await a.docker('exec', 'one', 'cat', '/sys/class/net/eth0/address')).toBe(mac);
    // A packet of the network's MTU gets through, a larger one does not leave unfragmented.
    await a.docker('exec', 'one', 'ping', '-c', '1', '-W', '1', '-s', '1372', '198.18.0.1');
    expect((await ipJson(a.host, 'link', 'show', 'dev', 'eth0'))[0]?.['mtu']).toBe(1500);
  });

  it("takes the parent's MTU where none is asked for", async () => {
    await a.host.exec('ip', ['link', 'set', 'eth0', 'mtu', '1450']);
    try {
      await create(a, 'lan', ...LAN4, ...PARENT);
      await startContainer(a, 'one', 'lan');
      expect(await a.docker('exec', 'one', 'cat', '/sys/class/net/eth0/mtu')).toBe('1450');
    } finally {
      await a.host.exec('ip', ['link', 'set', 'eth0', 'mtu', '1500']);
    }
  });

  it('keeps an address with its MAC, through a restart and from one container to the next', async () => {
    await create(a, 'lan', ...LAN4, ...PARENT);
    const before = await startContainer(a, 'one', 'lan', '--ip', '198.18.0.151');
    await reaches(lab.lan, before.address4);
    await a.docker('restart', '-t', '0', 'one');
    expect(await attached(a, 'one', 'lan')).toEqual(before);
    // The LAN still holds the old entry, and it is right: the first ping is answered.
    expect(await neighbourOf(lab.lan, before.address4)).toBe(before.mac);
    expect(await answers(lab.lan, before.address4)).toBe(true);
    await a.docker('rm', '-f', 'one');
    const next = await startContainer(a, 'next', 'lan', '--ip', '198.18.0.151');
    expect(next.mac).toBe(before.mac);
    expect(await answers(lab.lan, before.address4)).toBe(true);
    expect(await answers(a.host, before.address4)).toBe(true);
  });

  it('lets several networks share a parent', async () => {
    await create(a, 'low', ...LAN4, '--ip-range', '198.18.0.128/27', ...PARENT);
    // Without --gateway: the engine's address management gives an address of a subnet to one network only.
    await create(a, 'high', '--subnet', '198.18.0.0/24', '--ip-range', '198.18.0.192/27', ...PARENT);
    const low = await startContainer(a, 'low1', 'low');
    const high = await startContainer(a, 'high1', 'high');
    await reaches({ on: a, container: 'low1' }, high.address4);
    await reaches({ on: a, container: 'high1' }, low.address4);
    for (const address of [low.address4, high.address4]) {
      await reaches(a.host, address);
      await reaches(lab.lan, address);
    }
    // One goes, the other does not notice.
    await a.docker('rm', '-f', 'low1');
    await a.docker('network', 'rm', 'low');
    expect(await answers(a.host, high.address4)).toBe(true);
    expect(await answers(lab.lan, high.address4)).toBe(true);
    expect(await answers({ on: a, container: 'high1' }, a.host.address)).toBe(true);
  });

  it("shares a parent with Docker's own macvlan driver", async () => {
    const range = ['--subnet', '198.18.0.0/24', '--ip-range', '198.18.0.128/27', '--gateway', '198.18.0.129'];
    await a.docker('network', 'create', '-d', 'macvlan', ...range, ...PARENT, 'builtin');
    try {
      await create(a, 'lan', '--subnet', '198.18.0.0/24', '--ip-range', '198.18.0.192/27', ...PARENT);
      const theirs = await startContainer(a, 'theirs', 'builtin');
      const ours = await startContainer(a, 'ours', 'lan');
      await reaches({ on: a, container: 'ours' }, theirs.address4);
      await reaches({ on: a, container: 'theirs' }, ours.address4);
      await reaches(a.host, ours.address4);
      // A repair of the whole host leaves their container alone, and so does the end of the network beside it.
      await a.restart();
      await a.docker('rm', '-f', 'ours');
      await a.docker('network', 'rm', 'lan');
      await reaches(lab.lan, theirs.address4);
    } finally {
      await a.docker('rm', '-f', 'theirs');
      await a.docker('network', 'rm', 'builtin');
    }
  });

  it('attaches a running container to a second network and detaches it', async () => {
    await create(a, 'lan', ...LAN4, ...PARENT);
    await create(a, 'apart', '--subnet', '198.19.9.0/24', '-o', 'mode=macvlan');
    await startContainer(a, 'one', 'apart');
    await a.docker('network', 'connect', '--ip', '198.18.0.152', 'lan', 'one');
    await reaches(lab.lan, '198.18.0.152');
    await reaches({ on: a, container: 'one' }, '198.18.0.1');
    await a.docker('network', 'disconnect', 'lan', 'one');
    expect(await answers({ on: a, container: 'one' }, '198.18.0.1')).toBe(false);
    expect(await markedRoutes(a)).toEqual([]);
    expect(await a.docker('exec', 'one', 'ls', '/sys/class/net')).toBe('eth0\nlo');
  });
});
