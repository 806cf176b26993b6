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
import { answers, attached, reaches, startContainer } from './support/macvlan-lab.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

const LAN6 = 'fd99::1';
const POOL4 = '198.18.9.0/24';
const POOL6 = '2001:db8:9::/64';
const DUAL = ['--subnet', POOL4, '--ipv6', '--subnet', POOL6, '--gateway', '2001:db8:9::1'];

describe.each(ENGINES)('addresses on a bridge network, engine %s', engine => {
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

  const inside = (container: string) => ({ on: host, container });

  it('carries IPv6 beside IPv4: peers, host, and the LAN with the address of the host', async () => {
    await createNetwork(host, 'dual', ...DUAL);
    const c1 = await startContainer(host, 'c1', 'dual');
    const c2 = await startContainer(host, 'c2', 'dual');
    expect(c1.address6).toMatch(/^2001:db8:9::/);
    const bridge = await bridgeOf(host, 'dual');
    expect((await addressesOn(host.host, bridge)).sort()).toEqual(['198.18.9.1/24', '2001:db8:9::1/64']);
    expect(await routesIn(host, 'c1', '-6')).toContain('default via 2001:db8:9::1 dev eth0');

    await reaches(inside('c1'), c2.address6);
    expect((await host.docker('exec', 'c1', 'ping', '-6', '-c1', '-W2', 'c2')).includes(c2.address6)).toBe(
      true,
    );
    await reaches(host.host, c1.address6);
    await reaches(inside('c1'), host.host.address6);
    await reaches(inside('c1'), LAN6);
    expect(await seenAs(inside('c1'), '2001:db8:9::1')).toBe(c1.address6);
    expect(await seenAs(inside('c1'), LAN6)).toBe(host.host.address6);
    expect(await seenAs(inside('c1'), '198.18.0.1')).toBe(host.host.address);
    expect(await ownElements(host)).toEqual(
      [
        `bridges ${bridge}`,
        `localnet ${bridge}`,
        `masquerade4 ${bridge}`,
        `masquerade6 ${bridge}`,
        `same_bridge ${bridge} ${bridge}`,
      ].sort(),
    );
  });

  it.each(['true', 'false'])('lets nobody of the LAN in over IPv6, enable_ip_masquerade=%s', async value => {
    const masquerade = driverOptions({ 'com.docker.network.bridge.enable_ip_masquerade': value });
    await createNetwork(host, 'dual', ...DUAL, ...masquerade);
    const c1 = await startContainer(host, 'c1', 'dual');
    await serveName(host, 'c1');
    await reaches(host.host, c1.address6);
    expect(await talk(host.host, c1.address6, 80)).toBe('c1');
    await withRoute(lab.lan, [POOL6, 'via', host.host.address6], async () => {
      expect(await answers(lab.lan, '2001:db8:9::1')).toBe(true);
      expect(await answers(lab.lan, c1.address6)).toBe(false);
      expect(await talk(lab.lan, c1.address6, 80)).toBeUndefined();
      const source = value === 'true' ? host.host.address6 : c1.address6;
      expect(await seenAs(inside('c1'), LAN6)).toBe(source);
    });
  });

  it('lets nothing of an internal network out over IPv6', async () => {
    await createNetwork(host, 'inner', ...DUAL, '--internal');
    const c1 = await startContainer(host, 'c1', 'inner');
    const c2 = await startContainer(host, 'c2', 'inner');
    await reaches(inside('c1'), c2.address6);
    await reaches(host.host, c1.address6);
    expect(await routesIn(host, 'c1', '-6')).not.toContain('default');
    expect(await answers(inside('c1'), LAN6)).toBe(false);
  });

  it('parts IPv6 containers where enable_icc is false, and two networks from each other', async () => {
    const apart = driverOptions({ 'com.docker.network.bridge.enable_icc': 'false' });
    await createNetwork(host, 'apart', ...DUAL, ...apart);
    const other = ['--subnet', '198.18.10.0/24', '--ipv6', '--subnet', '2001:db8:a::/64'];
    await createNetwork(host, 'other', ...other, '--gateway', '2001:db8:a::1');
    const c1 = await startContainer(host, 'c1', 'apart');
    const c2 = await startContainer(host, 'c2', 'apart');
    const c3 = await startContainer(host, 'c3', 'other');
    for (const { address6 } of [c1, c2, c3]) await reaches(host.host, address6);
    expect(await answers(inside('c1'), c2.address6)).toBe(false);
    expect(await answers(inside('c1'), c3.address6)).toBe(false);
    expect(await answers(inside('c3'), c1.address6)).toBe(false);
  });

  it('makes networks of IPv6 alone', async ({ skip }) => {
    skip(engine === '20.10', 'engines before 28 have no networks without IPv4, and ignore the flag');
    await createNetwork(host, 'six', '--ipv4=false', '--ipv6', '--subnet', POOL6);
    const c1 = await startContainer(host, 'c1', 'six');
    const c2 = await startContainer(host, 'c2', 'six');
    expect(c1.address4).toBe('');
    // there is no IPv4 address for the MAC to follow from; it follows from the other all the same
    expect(c1.mac).toMatch(/^.[26ae]:/);
    await reaches(inside('c1'), c2.address6);
    await reaches(inside('c1'), LAN6);
    expect(await seenAs(inside('c1'), LAN6)).toBe(host.host.address6);
    const names = (await host.docker('exec', 'c1', 'ls', '/sys/class/net')).split(/\s+/);
    expect(names).toEqual(['eth0', 'lo']);
    expect(await routesIn(host, 'c1')).toBe('');

    await host.docker('rm', '-f', 'c1');
    const again = await startContainer(host, 'c3', 'six', '--ip6', c1.address6);
    expect({ ...again, name: 'c1' }).toEqual(c1);
  });

  it('gives containers the addresses and the MAC that are asked for', async () => {
    await createNetwork(host, 'dual', ...DUAL);
    // As clients of 20.10 say it: newer ones refuse a MAC address to an engine that old.
    const { status } = await host.host.api('POST', '/v1.41/containers/create?name=c1', {
      Image: 'busybox',
      Cmd: ['sleep', '1d'],
      MacAddress: '02:00:5e:00:53:77',
      HostConfig: { NetworkMode: 'dual' },
      NetworkingConfig: {
        EndpointsConfig: {
          dual: { IPAMConfig: { IPv4Address: '198.18.9.77', IPv6Address: '2001:db8:9::77' } },
        },
      },
    });
    expect(status).toBe(201);
    await host.docker('start', 'c1');
    const c1 = await attached(host, 'c1', 'dual');
    expect(c1).toMatchObject({
      address4: '198.18.9.77',
      address6: '2001:db8:9::77',
      mac: '02:00:5e:00:53:77',
    });
    const shown = await host.docker('exec', 'c1', 'ip', 'addr', 'show', 'eth0');
    for (const text of ['198.18.9.77/24', '2001:db8:9::77/64', '02:00:5e:00:53:77']) {
      expect(shown).toContain(text);
    }
    await reaches(host.host, '198.18.9.77');
    await reaches(host.host, '2001:db8:9::77');

    await host.docker('restart', '-t', '0', 'c1');
    expect(await attached(host, 'c1', 'dual')).toEqual(c1);
    const taken = await host.refused(
      'run',
      '--rm',
      '--network',
      'dual',
      '--ip',
      '198.18.9.77',
      'busybox',
      'true',
    );
    expect(taken).toMatch(/already in use/i);
  });

  it('gives each container a MAC that follows from its address', async () => {
    await createNetwork(host, 'web', '--subnet', POOL4);
    expect((await startContainer(host, 'c1', 'web')).mac).toBe('02:42:c6:12:09:02');
    expect((await startContainer(host, 'c2', 'web', '--ip', '198.18.9.254')).mac).toBe('02:42:c6:12:09:fe');
    await host.docker('restart', '-t', '0', 'c2');
    expect((await attached(host, 'c2', 'web')).mac).toBe('02:42:c6:12:09:fe');
  });

  it('keeps out of an address range what is set aside', async () => {
    const range = [
      '--ip-range',
      '198.18.9.128/30',
      '--gateway',
      '198.18.9.254',
      '--aux-address',
      'a=198.18.9.128',
    ];
    await createNetwork(host, 'web', '--subnet', POOL4, ...range);
    const addresses: string[] = [];
    for (const name of ['c1', 'c2', 'c3']) {
      addresses.push((await startContainer(host, name, 'web')).address4);
    }
    expect(addresses.sort()).toEqual(['198.18.9.129', '198.18.9.130', '198.18.9.131']);
    expect(await routesIn(host, 'c1')).toContain('default via 198.18.9.254 dev eth0');
    expect(await answers(inside('c1'), '198.18.0.1')).toBe(true);
    expect(await host.refused('run', '--rm', '--network', 'web', 'busybox', 'true')).toContain(
      'no available',
    );
    await host.docker('rm', '-f', 'c2');
    expect((await startContainer(host, 'c4', 'web')).address4).toMatch(/^198\.18\.9\.1(29|30|31)$/);
  });
});
