import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ATTACHMENTS } from '../../src/options.ts';
import type { Lab } from '../lab/lab.ts';
import { createNetwork, driverOptions } from './support/bridge-lab.ts';
import {
  BEYOND,
  everything,
  interfaceOn,
  madeAs,
  namesBy,
  namesIn,
  seesSandboxAtStart,
} from './support/inside-lab.ts';
import {
  answers,
  attached,
  inContainer,
  LAN4,
  LAN6,
  neighbourOf,
  reaches,
  startContainer,
} from './support/macvlan-lab.ts';
import { asks, inside, ready, startServer } from './support/publish-lab.ts';
import { soon } from './support/soon.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

const RANGE4 = ['--ip-range', '198.18.0.192/27'];
const RANGE6 = ['--ip-range', 'fd99::a:0/112'];
const LAN = [...LAN4, ...RANGE4, ...LAN6, ...RANGE6];

/** Macvlan links have no end on the host: made inside, nothing of them is ever seen there. */
describe.each(ENGINES)('macvlan links made inside, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;
  let before: Awaited<ReturnType<typeof everything>>;
  const atStart = seesSandboxAtStart(engine);
  const MADE = { engine: undefined, auto: BEYOND, inside: BEYOND } as const;

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
    await createNetwork(host, 'mid', '--subnet', '198.18.20.0/24', '--ipv6', '--subnet', '2001:db8:20::/64');
    before = await everything(host);
  });
  afterEach(async () => {
    const containers = await host.docker('ps', '-aq');
    if (containers !== '') await host.docker('rm', '-f', ...containers.split('\n'));
    const networks = (
      await host.docker('network', 'ls', '--format', '{{.Name}}', '-f', 'driver=tsnet')
    ).split('\n');
    for (const network of networks) if (network !== 'mid') await host.docker('network', 'rm', network);
    await soon(async () => expect(await everything(host)).toEqual(before));
  });
  afterAll(() => lab?.destroy());

  const connect = (network: string, ...options: string[]) =>
    host.docker('network', 'connect', ...options, network, 'c1');
  const disconnect = (network: string) => host.docker('network', 'disconnect', network, 'c1');
  const lan = (name: string, options: Record<string, string>) =>
    createNetwork(host, name, ...LAN, ...driverOptions({ parent: 'eth0', ...options }));

  describe.each(ATTACHMENTS)('attach=%s', attach => {
    it('are on the LAN, and reached by the host through the shim', async () => {
      await lan('lan', { attach });
      await startContainer(host, 'c1', 'mid');
      await startContainer(host, 'peer', 'lan');
      await connect('lan', '--ip', '198.18.0.200', '--ip6', 'fd99::a:77');
      expect(await madeAs(host, 'c1', 'lan')).toBe(MADE[attach]);
      const { address, mtu, addr_info } = await interfaceOn(host, 'c1', 'lan');
      const peer = await attached(host, 'peer', 'lan');
      const c1 = await attached(host, 'c1', 'lan');
      expect(c1).toMatchObject({ address4: '198.18.0.200', address6: 'fd99::a:77', mac: address });
      expect(addr_info.filter(({ scope }) => scope === 'global')).toMatchObject([
        { local: '198.18.0.200', prefixlen: 24, broadcast: '198.18.0.255' },
        { local: 'fd99::a:77', prefixlen: 64, nodad: true },
      ]);
      expect(mtu).toBe(1500);
      const self = { on: host, container: 'c1' };
      for (const to of [
        LAN4[3],
        LAN6[4],
        host.host.address,
        host.host.address6,
        peer.address4,
        peer.address6,
      ])
        await reaches(self, to);
      for (const from of [lab.lan, host.host, { on: host, container: 'peer' }])
        for (const to of [c1.address4, c1.address6]) await reaches(from, to);
      // the LAN sees the container itself
      expect(await neighbourOf(lab.lan, c1.address4)).toBe(c1.mac);
      await disconnect('lan');
      expect(await answers(host.host, c1.address4)).toBe(false);
      expect(await answers(lab.lan, c1.address4)).toBe(false);
      await soon(async () => expect(await namesIn(host, 'c1')).toEqual(['eth0']));
    });

    it('publish ports on their own address, as far as they have the default route', async () => {
      // `lan` wins against `mid` by its name
      await lan('lan', { attach });
      await startServer(host, 'c1', 'mid', '-p', '8080:80');
      await connect('lan');
      expect(await madeAs(host, 'c1', 'lan')).toBe(MADE[attach]);
      const { address4, address6 } = await attached(host, 'c1', 'lan');
      await reaches(lab.lan, address6);
      const onItself = [`${address4}:8080`, `[${address6}]:8080`];
      const onHost = [`${host.host.address}:8080`, `[${host.host.address6}]:8080`];
      expect(Object.values(await asks(lab.lan, ...onItself))).toEqual(['c1 198.18.0.1', 'c1 fd99::1']);
      expect(Object.values(await asks(host.host, ...onItself))).toEqual([
        `c1 ${host.host.address}`,
        `c1 ${host.host.address6}`,
      ]);
      // from within, where the redirection is made too
      expect(Object.values(await asks(inside(host, 'c1'), ...onItself))).toEqual([
        `c1 ${address4}`,
        `c1 ${address6}`,
      ]);
      expect(Object.values(await asks(lab.lan, ...onHost))).toEqual([undefined, undefined]);
      await disconnect('lan');
      expect(Object.values(await asks(lab.lan, ...onHost))).toEqual(['c1 198.18.0.1', 'c1 fd99::1']);
      await connect('lan');
      await disconnect('mid');
      const again = await attached(host, 'c1', 'lan');
      await reaches(lab.lan, again.address6);
      const anew = [`${again.address4}:8080`, `[${again.address6}]:8080`];
      expect(Object.values(await asks(lab.lan, ...anew))).toEqual(['c1 198.18.0.1', 'c1 fd99::1']);
    });
  });

  it("are a container's only interface from its start on", async context => {
    context.skip(!atStart, "the first one is always the engine's");
    await lan('lan', { attach: 'inside' });
    await startServer(host, 'c1', 'lan', '-p', '8080:80');
    for (let start = 0; start < 2; start++) {
      expect(await madeAs(host, 'c1', 'lan')).toBe('eth0');
      const { address4, address6 } = await attached(host, 'c1', 'lan');
      await reaches(lab.lan, address6);
      const said = await asks(lab.lan, `${address4}:8080`, `[${address6}]:8080`);
      expect(Object.values(said)).toEqual(['c1 198.18.0.1', 'c1 fd99::1']);
      await reaches(host.host, address4);
      await reaches({ on: host, container: 'c1' }, '198.18.0.1');
      await host.docker('restart', '-t', '0', 'c1');
      await ready(host, 'c1');
    }
    // nothing of it is on the host but the shim
    expect((await everything(host))['links']?.filter(link => link.startsWith('tsv'))).toEqual([]);
  });

  it('have the mode that the network asks for', async () => {
    for (const macvlan_mode of ['private', 'vepa', 'bridge']) {
      await lan('lan', { macvlan_mode });
      await startContainer(host, 'c1', 'mid');
      await connect('lan');
      expect(await madeAs(host, 'c1', 'lan')).toBe(BEYOND);
      const [link] = JSON.parse(await inContainer(host, 'c1', 'ip', '-d', '-j', 'link', 'show', BEYOND));
      expect(link.linkinfo).toMatchObject({ info_kind: 'macvlan', info_data: { mode: macvlan_mode } });
      expect(link.ifalias).toMatch(/^tsnet:/);
      await reaches({ on: host, container: 'c1' }, '198.18.0.1');
      // each other: in mode bridge alone, for the LAN's switch sends nothing back to where it came from
      await startContainer(host, 'peer', 'lan');
      const peer = await attached(host, 'peer', 'lan');
      if (macvlan_mode === 'bridge') await reaches({ on: host, container: 'c1' }, peer.address4);
      else expect(await answers({ on: host, container: 'c1' }, peer.address4)).toBe(false);
      await host.docker('rm', '-f', 'c1', 'peer');
      await host.docker('network', 'rm', 'lan');
    }
  });

  it('have an MTU of their own', async () => {
    await lan('lan', { 'com.docker.network.driver.mtu': '1400' });
    await startContainer(host, 'c1', 'mid');
    await connect('lan');
    expect((await interfaceOn(host, 'c1', 'lan')).mtu).toBe(1400);
    await reaches({ on: host, container: 'c1' }, '198.18.0.1');
  });

  it('are on a segment that leads nowhere, when the network has no parent', async () => {
    await createNetwork(host, 'seg', '--subnet', '198.18.30.0/24', ...driverOptions({ mode: 'macvlan' }));
    await startContainer(host, 'c1', 'mid');
    await startContainer(host, 'peer', 'seg');
    await connect('seg');
    expect(await madeAs(host, 'c1', 'seg')).toBe(BEYOND);
    await reaches({ on: host, container: 'c1' }, 'peer');
    const { address4 } = await attached(host, 'c1', 'seg');
    expect(await answers(host.host, address4)).toBe(false);
    // the way out is still the first network's
    await reaches({ on: host, container: 'c1' }, '198.18.0.1');
    await disconnect('seg');
    expect(await namesBy(host, 'c1')).toEqual({ mid: 'eth0' });
  });

  it('pass the one place of a passthru parent on', async () => {
    await host.host.sh('ip link add par0 type veth peer name par1; ip link set par0 up; ip link set par1 up');
    try {
      const options = driverOptions({ parent: 'par0', macvlan_mode: 'passthru' });
      await createNetwork(host, 'pass', '--subnet', '198.18.31.0/24', ...options);
      await startContainer(host, 'c1', 'mid');
      await startContainer(host, 'c2', 'mid');
      for (const container of ['c1', 'c2', 'c1']) {
        await host.docker('network', 'connect', 'pass', container);
        expect(await madeAs(host, container, 'pass')).toBe(BEYOND);
        expect(await namesIn(host, container)).toEqual(['eth0', BEYOND]);
        await host.docker('network', 'disconnect', 'pass', container);
        await soon(async () => expect(await namesIn(host, container)).toEqual(['eth0']));
      }
    } finally {
      await host.host.docker('network', 'rm', 'pass');
      await host.host.sh('ip link del par0');
    }
  });
});
