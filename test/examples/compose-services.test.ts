import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { clean, routesIn, seenAs, startPeerServer } from '../engine/support/bridge-lab.ts';
import { interfaceOn, namesBy, seesSandboxAtStart } from '../engine/support/inside-lab.ts';
import { attached, inContainer, neighbourOf, reaches } from '../engine/support/macvlan-lab.ts';
import { ENGINES, type TsnetHost, tsnetLab } from '../engine/support/tsnet-host.ts';
import type { Lab } from '../lab/lab.ts';
import { hasNewest, Project } from './support/project.ts';

const LAN4 = '198.18.0.1';
const MAC_A = '02:00:5e:10:00:0a';
const MAC_B = '02:00:5e:10:00:0b';
const ENDPOINT = 'com.docker.network.endpoint';
const NO_NEWEST = 'scripts/setup/packages.sh has unpacked no newer compose';

/** Two networks, of which the engine by itself takes the first one, by name, for the way out. */
const NETWORKS = {
  aa: { ipam: { config: [{ subnet: '198.18.21.0/24' }] } },
  bb: { ipam: { config: [{ subnet: '198.18.22.0/24' }] } },
};
const DUAL = {
  aa: {
    enable_ipv6: true,
    ipam: { config: [{ subnet: '198.18.21.0/24' }, { subnet: '2001:db8:21::/64' }] },
  },
};
const attachedBy = (attach: string) =>
  Object.fromEntries(
    Object.entries(NETWORKS).map(([name, of]) => [name, { ...of, driver_opts: { attach } }]),
  );

/** What a compose file may say of a service on a network: docs/compose.md has the table. */
describe.each(ENGINES)('services of compose files, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;
  let project: Project;
  let newest: Project;
  const atStart = seesSandboxAtStart(engine);

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
    project = new Project(host);
    newest = new Project(host, true);
    await startPeerServer(lab.lan);
  });
  afterEach(() => clean(host));
  afterAll(() => lab?.destroy());

  const on = (service: string) => ({ on: host, container: project.container(service) });
  const macOn = async (service: string, network: string) =>
    (await interfaceOn(host, project.container(service), `keys_${network}`)).address;
  /** Which network the container's way out leads by, and that it is one. */
  const wayOut = async (service: string) => {
    expect(await seenAs(on(service), LAN4)).toBe(host.host.address);
    const [, third] = /default via 198\.18\.(\d+)\.1 /.exec(
      await routesIn(host, project.container(service)),
    ) ?? [undefined, ''];
    return third === '21' ? 'aa' : 'bb';
  };

  it('ipv4_address and ipv6_address', async () => {
    const mine = { ipv4_address: '198.18.21.77', ipv6_address: '2001:db8:21::77' };
    await project.up({ a: { networks: { aa: mine } }, b: { networks: ['aa'] } }, DUAL);
    expect(await attached(host, project.container('a'), 'keys_aa')).toMatchObject({
      address4: '198.18.21.77',
      address6: '2001:db8:21::77',
    });
    for (const address of ['198.18.21.77', '2001:db8:21::77']) {
      await reaches(on('b'), address);
      await reaches(host.host, address);
    }
  });

  it.each([
    [{ ipv4_address: '198.18.23.7' }, /198\.18\.23\.7/],
    [{ ipv4_address: '198.18.21.1' }, /Address already in use/],
    [{ ipv6_address: '2001:db8:21::7' }, /supported only when connecting to networks with user configured/],
  ])('are refused in words: %j', async (wish, words) => {
    expect(await project.refused({ a: { networks: { aa: wish } } }, { aa: NETWORKS.aa })).toMatch(words);
  });

  it('aliases, each on its network', async () => {
    const a = { networks: { aa: { aliases: ['shop', 'store'] }, bb: { aliases: ['backend'] } } };
    await project.up({ a, b: { networks: ['aa'] }, c: { networks: ['bb'] } }, NETWORKS);
    for (const name of ['shop', 'store', 'a']) await reaches(on('b'), name);
    await reaches(on('c'), 'backend');
    // a name that nobody knows is asked of the outside, which takes its time
    const ping = ['timeout', '2', 'ping', '-c', '1'];
    await host.refused('exec', project.container('b'), ...ping, 'backend');
    await host.refused('exec', project.container('c'), ...ping, 'shop');
  });

  it('mac_address of a network', async () => {
    const a = { networks: { aa: { mac_address: MAC_A }, bb: { mac_address: MAC_B } } };
    if (!atStart) {
      expect(await project.refused({ a }, NETWORKS)).toContain('requires Docker Engine 1.44 or later');
      return;
    }
    await project.up({ a, b: { networks: ['aa'] } }, NETWORKS);
    expect([await macOn('a', 'aa'), await macOn('a', 'bb')]).toEqual([MAC_A, MAC_B]);
    // as who it is known to the others
    await reaches(on('b'), 'a');
    expect(await inContainer(host, project.container('b'), 'ip', 'neigh')).toContain(MAC_A);
    const { address4 } = await attached(host, project.container('a'), 'keys_bb');
    await reaches(host.host, address4);
    expect(await neighbourOf(host.host, address4)).toBe(MAC_B);
  });

  it('mac_address of a service, and priority: on which of its networks', async context => {
    context.skip(!hasNewest(), NO_NEWEST);
    await newest.up({ a: { mac_address: MAC_A, networks: ['aa'] } }, NETWORKS);
    expect(await macOn('a', 'aa')).toBe(MAC_A);
    const a = (aa: number, bb: number) => ({
      a: { mac_address: MAC_A, networks: { aa: { priority: aa }, bb: { priority: bb } } },
    });
    await newest.up(a(1, 100), NETWORKS);
    expect(await macOn('a', 'bb')).toBe(MAC_A);
    expect(await macOn('a', 'aa')).not.toBe(MAC_A);
    // it is not about the way out
    expect(await wayOut('a')).toBe('aa');
    await newest.up(a(100, 1), NETWORKS);
    expect(await macOn('a', 'aa')).toBe(MAC_A);
  });

  it('gw_priority', async context => {
    context.skip(!hasNewest(), NO_NEWEST);
    const a = (aa: number, bb: number) => ({
      a: { networks: { aa: { gw_priority: aa }, bb: { gw_priority: bb } } },
    });
    await newest.up(a(0, 1), NETWORKS);
    // engines before 28 do not know of it
    expect(await wayOut('a')).toBe(atStart ? 'bb' : 'aa');
    await newest.up(a(1, 0), NETWORKS);
    expect(await wayOut('a')).toBe('aa');
  });

  it('link_local_ips of the only network', async () => {
    const of = (ip: string) => ({ networks: { aa: { link_local_ips: [ip] } } });
    await project.up({ a: of('169.254.7.1'), b: of('169.254.7.2') }, NETWORKS);
    await reaches(on('a'), '169.254.7.2');
    await reaches(on('b'), '169.254.7.1');
  });

  it('link_local_ips of several networks, with attach=engine', async () => {
    const of = (number: number) => ({
      networks: {
        aa: { link_local_ips: [`169.254.7.${number}`] },
        bb: { link_local_ips: [`169.254.8.${number}`] },
      },
    });
    await project.up({ a: of(1), b: of(2) }, attachedBy('engine'));
    for (const [network, address] of [
      ['keys_aa', '169.254.7.1'],
      ['keys_bb', '169.254.8.1'],
    ] as const) {
      const { addr_info } = await interfaceOn(host, project.container('a'), network);
      expect(addr_info.map(({ local }) => local)).toContain(address);
    }
  });

  it('interface_name', async context => {
    context.skip(!hasNewest(), NO_NEWEST);
    const a = (aa: string, bb: string) => ({
      a: { networks: { aa: { interface_name: aa }, bb: { interface_name: bb } } },
    });
    if (!atStart) {
      expect(await newest.refused(a('lan', 'wan0'), NETWORKS)).toContain('requires Docker Engine v28.1');
      return;
    }
    await newest.up(a('lan', 'wan0'), NETWORKS);
    const container = project.container('a');
    expect(await namesBy(host, container)).toEqual({ keys_aa: 'lan', keys_bb: 'wan0' });
    await newest.up(a('eth1', 'eth0'), NETWORKS);
    expect(await namesBy(host, container)).toEqual({ keys_aa: 'eth1', keys_bb: 'eth0' });
  });

  it('interface_name is refused in words', async context => {
    context.skip(!hasNewest(), NO_NEWEST);
    context.skip(!atStart, 'compose refuses it');
    const a = (aa: string, bb: string) => ({
      a: { networks: { aa: { interface_name: aa }, bb: { interface_name: bb } } },
    });
    expect(await newest.refused(a('lan', 'a/b'), NETWORKS)).toContain('"a/b" is not a link name');
    expect(await newest.refused(a('lan', 'wan'), NETWORKS)).toMatch(
      /cannot be named (lan|wan)\. Name it \1[01]:/,
    );
    expect(await newest.refused(a('lan0', 'lan0'), NETWORKS)).toContain(
      'cannot be named lan0. Name it lan1:',
    );
    const always = attachedBy('engine');
    expect(await newest.refused(a('lan', 'wan0'), always)).toContain('cannot be named lan. Name it lan0:');
  });

  it('driver_opts of a service', async context => {
    context.skip(!hasNewest(), NO_NEWEST);
    const of = (driver_opts: Record<string, string>) => ({ a: { networks: { aa: { driver_opts } } } });
    await newest.up(of({ [`${ENDPOINT}.ifname`]: 'lan0' }), NETWORKS);
    const container = project.container('a');
    expect(await namesBy(host, container)).toEqual({ keys_aa: 'lan0' });
    const log = `${ENDPOINT}.sysctls`;
    await newest.up(of({ [log]: 'net.ipv4.conf.IFNAME.log_martians=1' }), NETWORKS);
    const read = ['cat', '/proc/sys/net/ipv4/conf/eth0/log_martians'];
    // engines before 27 do not know of it, and it is they who make the first interface
    expect(await host.docker('exec', container, ...read)).toBe(atStart ? '1' : '0');
    const unknown = await newest.refused(of({ parnet: 'eth0' }), NETWORKS);
    expect(unknown).toContain('OPTION_UNKNOWN: option "parnet" of the endpoint is not known');
    const wrong = await newest.refused(of({ [log]: 'net.ipv4.ip_forward=1' }), NETWORKS);
    // engines from 27 on look at it themselves
    expect(wrong).toMatch(/OPTION_INVALID: option .*sysctls=|unrecognised network interface sysctl/);
  });
});
