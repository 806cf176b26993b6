import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { LabNode } from '../lab/node.ts';
import { addressesOn, createNetwork, driverOptions, routesIn, withRoute } from './support/bridge-lab.ts';
import { bridgeOf, startRestored } from './support/host-view.ts';
import { type Attached, inContainer, ipJson } from './support/macvlan-lab.ts';
import { type Asker, icmp, PolicyLab, tcp, udp } from './support/policy-lab.ts';
import { ENGINES, type TsnetHost } from './support/tsnet-host.ts';

const SUBNET4 = '198.18.9.0/24';
const SUBNET6 = '2001:db8:9::/64';
const DUAL = ['--subnet', SUBNET4, '--ipv6', '--subnet', SUBNET6];
/** Its server listens on two ports, one of which is published by both protocols. */
const PUBLISHED = ['-p', '8080:80', '-p', '8080:80/udp'];
const LAN = { address4: '198.18.0.1', address6: 'fd99::1' };
const PEER_PORT = 7000;

type Mode = 'nat' | 'nat-unprotected' | 'routed' | 'isolated';

describe.each(ENGINES)('gateway modes, engine %s', engine => {
  let at: PolicyLab;
  let host: TsnetHost;
  let lan: LabNode;

  beforeAll(async () => {
    at = await PolicyLab.create(engine);
    host = at.host;
    lan = at.lab.lan;
    await at.serveOn(lan, 'lan', PEER_PORT);
  });
  afterEach(() => at.clean());
  afterAll(() => at?.lab.destroy());

  const create = (name: string, mode4: Mode, mode6: Mode, ...options: string[]) =>
    createNetwork(
      host,
      name,
      ...options,
      ...driverOptions({
        'com.docker.network.bridge.gateway_mode_ipv4': mode4,
        gateway_mode_ipv6: mode6,
      }),
    );

  /** Runs an action while the LAN's node has routes to the containers. */
  const routed = (action: () => Promise<void>) =>
    withRoute(lan, [SUBNET4, 'via', host.host.address], () =>
      withRoute(lan, [SUBNET6, 'via', host.host.address6], action),
    );

  const byContainer = (asker: Asker, { address4, address6 }: Attached) =>
    at.ask(asker, {
      tcp4: tcp(address4, 80),
      udp4: udp(address4, 80),
      closed4: tcp(address4, 81),
      closedUdp4: udp(address4, 81),
      ping4: icmp(address4),
      tcp6: tcp(address6, 80),
      udp6: udp(address6, 80),
      closed6: tcp(address6, 81),
      closedUdp6: udp(address6, 81),
      ping6: icmp(address6),
    });
  const byHost = (asker: Asker) =>
    at.ask(asker, {
      tcp4: tcp(host.host.address, 8080),
      udp4: udp(host.host.address, 8080),
      tcp6: tcp(host.host.address6, 8080),
      udp6: udp(host.host.address6, 8080),
    });
  const outward = () =>
    at.ask('web', {
      tcp4: tcp(LAN.address4, PEER_PORT),
      udp4: udp(LAN.address4, PEER_PORT),
      tcp6: tcp(LAN.address6, PEER_PORT),
      udp6: udp(LAN.address6, PEER_PORT),
    });

  const ports = (four: string, six: string) => ({ tcp4: four, udp4: four, tcp6: six, udp6: six });
  /** What comes back from the published port, from another one, and from a ping. */
  const seen = (family: 4 | 6, port: string, other: string, ping: string) => ({
    [`tcp${family}`]: port,
    [`udp${family}`]: port,
    [`closed${family}`]: other,
    [`closedUdp${family}`]: other,
    [`ping${family}`]: ping,
  });
  const shut = (family: 4 | 6) => seen(family, 'silence', 'silence', 'silence');
  const openFor = (family: 4 | 6, client: string) => seen(family, `web ${client}`, 'silence', 'echo');
  const allFor = (family: 4 | 6, client: string) => seen(family, `web ${client}`, `web ${client}`, 'echo');

  /** The network under test with a container on it, and one of another network, which is nat. */
  async function populate(mode4: Mode, mode6: Mode) {
    await create('web', mode4, mode6, ...DUAL);
    await createNetwork(host, 'red', '--subnet', '198.18.8.0/24', '--ipv6', '--subnet', '2001:db8:8::/64');
    const [web, red] = await Promise.all([
      at.run('web', 'web', [80, 81], ...PUBLISHED),
      at.run('red', 'red'),
    ]);
    return { web, red };
  }

  it('nat: the LAN reaches what is published, on the host; no container by its own address', async () => {
    const { web } = await populate('nat', 'nat');
    await routed(async () => {
      expect(await byContainer(lan, web)).toEqual({ ...shut(4), ...shut(6) });
      expect(await byHost(lan)).toEqual(ports('web 198.18.0.1', 'web fd99::1'));
      expect(await outward()).toEqual(ports(`lan ${host.host.address}`, `lan ${host.host.address6}`));
    });
    expect(await byContainer('red', web)).toEqual({ ...shut(4), ...shut(6) });
    expect(await byHost('red')).toEqual(ports('web 198.18.9.1', 'web 2001:db8:9::1'));
    expect(await byContainer(host.host, web)).toEqual({
      ...allFor(4, '198.18.9.1'),
      ...allFor(6, '2001:db8:9::1'),
    });
  });

  it('nat-unprotected: besides, the LAN reaches every port by the own address', async () => {
    const { web } = await populate('nat-unprotected', 'nat-unprotected');
    await routed(async () => {
      expect(await byContainer(lan, web)).toEqual({ ...allFor(4, '198.18.0.1'), ...allFor(6, 'fd99::1') });
      expect(await byHost(lan)).toEqual(ports('web 198.18.0.1', 'web fd99::1'));
      expect(await outward()).toEqual(ports(`lan ${host.host.address}`, `lan ${host.host.address6}`));
    });
    // Other networks are kept apart all the same: by the host's address only, as with the engine's own driver.
    expect(await byContainer('red', web)).toEqual({ ...shut(4), ...shut(6) });
    expect(await byHost('red')).toEqual(ports('web 198.18.9.1', 'web 2001:db8:9::1'));
  });

  it('routed: the LAN reaches what is published by the own address, and nothing is translated', async () => {
    const { web, red } = await populate('routed', 'routed');
    await routed(async () => {
      expect(await byContainer(lan, web)).toEqual({ ...openFor(4, '198.18.0.1'), ...openFor(6, 'fd99::1') });
      expect(await byHost(lan)).toEqual(ports('refused', 'refused'));
      expect(await outward()).toEqual(ports(`lan ${web.address4}`, `lan ${web.address6}`));
    });
    // as do containers of other networks, though these are nat
    expect(await byContainer('red', web)).toEqual({
      ...openFor(4, red.address4),
      ...openFor(6, red.address6),
    });
    expect(await byHost('red')).toEqual(ports('refused', 'refused'));
    expect(await byHost(host.host)).toEqual(ports('refused', 'refused'));
    expect(await byContainer(host.host, web)).toEqual({
      ...allFor(4, '198.18.9.1'),
      ...allFor(6, '2001:db8:9::1'),
    });
  });

  it('nat for IPv4 and routed for IPv6: each for itself', async () => {
    const { web } = await populate('nat', 'routed');
    await routed(async () => {
      expect(await byContainer(lan, web)).toEqual({ ...shut(4), ...openFor(6, 'fd99::1') });
      expect(await byHost(lan)).toEqual(ports('web 198.18.0.1', 'refused'));
      expect(await outward()).toEqual(ports(`lan ${host.host.address}`, `lan ${web.address6}`));
    });
  });

  it('routed: what is published goes with its container, and holds no port of the host', async () => {
    await create('web', 'routed', 'nat', '--subnet', SUBNET4);
    const one = await at.run('one', 'web', [80], ...PUBLISHED);
    const two = await at.run('two', 'web', [80], ...PUBLISHED);
    await withRoute(lan, [SUBNET4, 'via', host.host.address], async () => {
      const questions = { one: tcp(one.address4, 80), two: tcp(two.address4, 80) };
      expect(await at.ask(lan, questions)).toEqual({ one: 'one 198.18.0.1', two: 'two 198.18.0.1' });
      await host.docker('rm', '-f', 'one');
      const next = await at.run('next', 'web', [80], '--ip', one.address4);
      expect(next.address4).toBe(one.address4);
      expect(await at.ask(lan, questions)).toEqual({ one: 'silence', two: 'two 198.18.0.1' });
    });
  });

  it('routed: a port for one family of addresses of the host is open in that family', async () => {
    await create('web', 'routed', 'routed', ...DUAL);
    const four = await at.run('four', 'web', [80], '-p', '0.0.0.0:8080:80');
    const six = await at.run('six', 'web', [80], '-p', '[::]:8080:80');
    await routed(async () => {
      const of = ({ address4, address6 }: Attached) =>
        at.ask(lan, { tcp4: tcp(address4, 80), tcp6: tcp(address6, 80) });
      expect(await of(four)).toEqual({ tcp4: 'four 198.18.0.1', tcp6: 'silence' });
      expect(await of(six)).toEqual({ tcp4: 'silence', tcp6: 'six fd99::1' });
    });
  });

  it('routed: clients that allow_from leaves out do not reach what is published', async () => {
    await create('web', 'routed', 'routed', ...DUAL, '-o', 'allow_from=198.18.0.200/29,fd99::1');
    const web = await at.run('web', 'web', [80, 81], ...PUBLISHED);
    await routed(async () => {
      expect(await byContainer(lan, web)).toEqual({
        ...seen(4, 'silence', 'silence', 'echo'),
        ...openFor(6, 'fd99::1'),
      });
    });
    expect(await byContainer(host.host, web)).toEqual({
      ...allFor(4, '198.18.9.1'),
      ...allFor(6, '2001:db8:9::1'),
    });
  });

  it('isolated: the host has no address on the bridge, of either family, and the containers no way out', async () => {
    await create('apart', 'isolated', 'isolated', '--internal', ...DUAL);
    const [web, peer] = await Promise.all([
      at.run('web', 'apart', [80, 81], ...PUBLISHED),
      at.run('peer', 'apart'),
    ]);
    const bridge = await bridgeOf(host, 'apart');
    expect(await addressesOn(host.host, bridge)).toEqual([]);
    // nor a link-local one, by which containers would reach what listens on the host
    expect(await ipJson(host.host, '-6', 'addr', 'show', 'dev', bridge)).toEqual([]);
    expect(await byContainer('peer', web)).toEqual({
      ...allFor(4, peer.address4),
      ...allFor(6, peer.address6),
    });
    expect(await routesIn(host, 'web')).not.toContain('default');
    expect(await routesIn(host, 'web', '-6')).not.toContain('default');
    // A container that finds a way for itself gets no further than the bridge.
    await inContainer(host, 'web', 'ip', 'route', 'add', 'default', 'dev', 'eth0');
    expect(
      await at.ask('web', {
        host: icmp(host.host.address),
        gateway: icmp('198.18.9.1'),
        lan: icmp(LAN.address4),
      }),
    ).toEqual({ host: 'silence', gateway: 'silence', lan: 'silence' });
    expect(await byHost(lan)).toEqual(ports('refused', 'refused'));
  });

  it.each(['nat', 'nat-unprotected', 'routed'] as const)('%s: an internal network stays one', async mode => {
    await create('web', mode, mode, '--internal', '--subnet', SUBNET4);
    const web = await at.run('web', 'web', [80], ...PUBLISHED);
    await withRoute(lan, [SUBNET4, 'via', host.host.address], async () => {
      expect(
        await at.ask(lan, {
          own: tcp(web.address4, 80),
          ping: icmp(web.address4),
          host: tcp(host.host.address, 8080),
        }),
      ).toEqual({ own: 'silence', ping: 'silence', host: 'refused' });
    });
    expect(await at.ask(host.host, { own: tcp(web.address4, 80) })).toEqual({ own: 'web 198.18.9.1' });
  });

  it('outlive the daemon', async () => {
    await create('web', 'routed', 'nat', '--subnet', SUBNET4);
    const web = await at.run('web', 'web', [80, 81], ...PUBLISHED);
    await withRoute(lan, [SUBNET4, 'via', host.host.address], async () => {
      const questions = { open: tcp(web.address4, 80), closed: tcp(web.address4, 81) };
      const answers = { open: 'web 198.18.0.1', closed: 'silence' };
      await host.stop('KILL');
      expect(await at.ask(lan, questions)).toEqual(answers);
      await host.host.exec('nft', ['delete', 'table', 'inet', 'tsnet']);
      await startRestored(host);
      expect(await at.ask(lan, questions)).toEqual(answers);
    });
  });

  it.each([
    [
      ['gateway_mode_ipv4=isolated'],
      'OPTION_CONFLICT: option gateway_mode_ipv4=isolated is for internal networks. Create the network with --internal',
    ],
    [
      ['com.docker.network.bridge.gateway_mode_ipv6=isolated'],
      'OPTION_CONFLICT: option gateway_mode_ipv6=isolated is for internal networks',
    ],
    [
      ['gateway_mode_ipv4=route'],
      'OPTION_INVALID: option com.docker.network.bridge.gateway_mode_ipv4="route" is not one of nat, nat-unprotected, routed, isolated; routed is the nearest',
    ],
    [
      ['gateway_mode_ipv4=routed', 'parent=eth0'],
      'gateway_mode_ipv4 is of mode bridge, the network is macvlan',
    ],
    [['gateway_mode_ip4=routed'], 'option "gateway_mode_ip4" is not known; gateway_mode_ipv4 is the nearest'],
  ])('%j is refused in words', async (options, words) => {
    const given = options.flatMap(option => ['-o', option]);
    const refusal = await host.refused(
      'network',
      'create',
      '-d',
      'tsnet',
      '--subnet',
      SUBNET4,
      ...given,
      'web',
    );
    expect(refusal).toContain(words);
  });
});
