import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../lab/lab.ts';
import {
  addressesOn,
  clean,
  createNetwork,
  driverOptions,
  ownElements,
  routesIn,
  seenAs,
  serveName,
  startPeerServer,
  talk,
  withRoute,
} from './support/bridge-lab.ts';
import { bridgeOf } from './support/host-view.ts';
import { answers, inContainer, macOf, reaches, startContainer } from './support/macvlan-lab.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

const LAN = '198.18.0.1';
const SUBNET = '198.18.9.0/24';

describe.each(ENGINES)('bridge to host and LAN, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
    await Promise.all([startPeerServer(lab.lan), startPeerServer(host.host)]);
  });
  afterEach(() => clean(host));
  afterAll(() => lab?.destroy());

  /** On the LAN, containers are routed to by way of their host. */
  const withRouteOnLan = <T>(action: () => Promise<T>, subnet = SUBNET) =>
    withRoute(lab.lan, [subnet, 'via', host.host.address], action);

  it('lets host and containers reach each other, each by its own address', async () => {
    await createNetwork(host, 'web', '--subnet', SUBNET);
    const c1 = await startContainer(host, 'c1', 'web');
    const inside = { on: host, container: 'c1' };
    await serveName(host, 'c1');

    expect(await answers(host.host, c1.address4)).toBe(true);
    expect(await talk(host.host, c1.address4, 80)).toBe('c1');
    for (const address of ['198.18.9.1', host.host.address]) {
      expect(await answers(inside, address)).toBe(true);
      expect(await seenAs(inside, address)).toBe(c1.address4);
    }
  });

  it('lets containers out with the address of the host', async () => {
    await createNetwork(host, 'web', '--subnet', SUBNET);
    await startContainer(host, 'c1', 'web');
    const inside = { on: host, container: 'c1' };
    expect(await answers(inside, LAN)).toBe(true);
    expect(await seenAs(inside, LAN)).toBe(host.host.address);
    expect(await routesIn(host, 'c1')).toContain('default via 198.18.9.1 dev eth0');
    // still so when the LAN could answer the container itself
    expect(await withRouteOnLan(() => seenAs(inside, LAN))).toBe(host.host.address);
  });

  it('lets containers out with their own address where enable_ip_masquerade is false', async () => {
    const plain = driverOptions({ 'com.docker.network.bridge.enable_ip_masquerade': 'false' });
    // of its own: a ping with the numbers of an earlier one would still be of that one's, masqueraded, flow
    const subnet = '198.18.12.0/24';
    await createNetwork(host, 'plain', '--subnet', subnet, ...plain);
    const c1 = await startContainer(host, 'c1', 'plain');
    const inside = { on: host, container: 'c1' };
    // the LAN does not know the way back yet
    expect(await answers(inside, LAN)).toBe(false);
    await withRouteOnLan(async () => {
      expect(await answers(inside, LAN)).toBe(true);
      expect(await seenAs(inside, LAN)).toBe(c1.address4);
    }, subnet);
  });

  it.each(['true', 'false'])('lets nobody of the LAN in, with enable_ip_masquerade=%s', async masquerade => {
    const options = driverOptions({ 'com.docker.network.bridge.enable_ip_masquerade': masquerade });
    await createNetwork(host, 'web', '--subnet', SUBNET, ...options);
    const c1 = await startContainer(host, 'c1', 'web');
    await serveName(host, 'c1');
    await withRouteOnLan(async () => {
      // the way there exists: the gateway, which is the host itself, answers
      expect(await answers(lab.lan, '198.18.9.1')).toBe(true);
      expect(await answers(lab.lan, c1.address4)).toBe(false);
      expect(await talk(lab.lan, c1.address4, 80)).toBeUndefined();
      // what the container begins is answered
      expect(await seenAs({ on: host, container: 'c1' }, LAN)).toBeDefined();
    });
    expect(await talk(host.host, c1.address4, 80)).toBe('c1');
  });

  it('lets nothing out of or into an internal network, but host and peers', async () => {
    await createNetwork(host, 'inner', '--subnet', SUBNET, '--internal');
    const c1 = await startContainer(host, 'c1', 'inner');
    const c2 = await startContainer(host, 'c2', 'inner');
    const inside = { on: host, container: 'c1' };
    await serveName(host, 'c2');

    expect(await talk(inside, 'c2', 80)).toBe('c2');
    expect(await answers(host.host, c2.address4)).toBe(true);
    expect(await answers(inside, '198.18.9.1')).toBe(true);

    expect(await routesIn(host, 'c1')).not.toContain('default');
    expect(await answers(inside, LAN)).toBe(false);
    // nor when the container gives itself a way out, and the LAN one in
    await inContainer(host, 'c1', 'ip', 'route', 'add', 'default', 'via', '198.18.9.1');
    await withRouteOnLan(async () => {
      expect(await answers(inside, LAN)).toBe(false);
      expect(await seenAs(inside, LAN)).toBeUndefined();
      expect(await answers(lab.lan, c1.address4)).toBe(false);
    });
    const bridge = await bridgeOf(host, 'inner');
    expect(await ownElements(host)).toEqual([
      `bridges ${bridge}`,
      `internal ${bridge}`,
      `same_bridge ${bridge} ${bridge}`,
    ]);
  });

  it('keeps the MAC of the bridge, which follows from its address, when ports come and go', async () => {
    await createNetwork(host, 'web', '--subnet', SUBNET);
    const bridge = await bridgeOf(host, 'web');
    expect(await addressesOn(host.host, bridge)).toEqual(['198.18.9.1/24']);
    expect(await macOf(host.host, bridge)).toBe('02:42:c6:12:09:01');
    await startContainer(host, 'c1', 'web');
    expect(await macOf(host.host, bridge)).toBe('02:42:c6:12:09:01');
    await host.docker('rm', '-f', 'c1');
    expect(await macOf(host.host, bridge)).toBe('02:42:c6:12:09:01');
  });

  it('gives an address that comes back the same MAC, so that no cache on the host is stale', async () => {
    await createNetwork(host, 'web', '--subnet', SUBNET);
    const before = await startContainer(host, 'c1', 'web');
    expect(before.mac).toBe('02:42:c6:12:09:02');
    await reaches(host.host, before.address4);
    await host.docker('rm', '-f', 'c1');
    const after = await startContainer(host, 'c2', 'web', '--ip', before.address4);
    expect(after).toEqual({ ...before, name: 'c2' });
    expect(await answers(host.host, after.address4)).toBe(true);
    expect(await host.docker('exec', 'c2', 'ip', 'link', 'show', 'eth0')).toContain(before.mac);
  });

  it('opens the FORWARD policy of the engine to its own packets only', async () => {
    await createNetwork(host, 'web', '--subnet', SUBNET);
    await startContainer(host, 'c1', 'web');
    const policy = await host.host.exec('iptables', ['-S', 'FORWARD']);
    expect(String(policy.stdout)).toContain('-P FORWARD DROP');
    expect(await answers({ on: host, container: 'c1' }, LAN)).toBe(true);
    // somebody else who forwards through this host is stopped by the engine's policy as ever
    await host.host.sh(`
      ip netns add other; ip link add o0 type veth peer name eth0 netns other
      ip addr add 198.18.8.1/24 dev o0; ip link set o0 up
      ip -n other addr add 198.18.8.2/24 dev eth0; ip -n other link set eth0 up
      ip -n other route add default via 198.18.8.1`);
    try {
      const ping = (address: string) =>
        host.host.exec('ip', ['netns', 'exec', 'other', 'busybox', 'ping', '-c1', '-W1', address], {
          reject: false,
        });
      expect((await ping('198.18.8.1')).exitCode).toBe(0);
      await withRoute(lab.lan, ['198.18.8.0/24', 'via', host.host.address], async () => {
        expect((await ping(LAN)).exitCode).not.toBe(0);
      });
    } finally {
      await host.host.sh('ip netns del other');
    }
  });
});
