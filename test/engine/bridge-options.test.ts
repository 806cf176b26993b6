import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../lab/lab.ts';
import {
  clean,
  createNetwork,
  driverOptions,
  hasLink,
  routesIn,
  serveName,
  talk,
} from './support/bridge-lab.ts';
import { bridgeOf } from './support/host-view.ts';
import { answers, inContainer, ipJson, reaches, startContainer } from './support/macvlan-lab.ts';
import { hostPortOf, portRows } from './support/publish-lab.ts';
import { soon } from './support/soon.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

const LAN = '198.18.0.1';
const SUBNET = ['--subnet', '198.18.9.0/24'];

describe.each(ENGINES)('options of a bridge network, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
  });
  afterEach(() => clean(host));
  afterAll(() => lab?.destroy());

  const mtuOf = async (link: string) => (await ipJson(host.host, 'link', 'show', 'dev', link))[0]?.['mtu'];

  /** One ping that no router may cut into pieces. @param size of the packet in bytes, headers included */
  const passesWhole = async (container: string, address: string, size: number): Promise<string> => {
    const ping = ['ping', '-c1', '-W1', '-M', 'do', '-s', String(size - 28), address];
    return inContainer(host, container, 'sh', '-c', `${ping.join(' ')} 2>&1 || true`);
  };

  it.each(['com.docker.network.driver.mtu', 'mtu'])(
    'sets the MTU of bridge and containers by %s',
    async name => {
      await createNetwork(host, 'small', ...SUBNET, ...driverOptions({ [name]: '1400' }));
      await startContainer(host, 'c1', 'small');
      const c2 = await startContainer(host, 'c2', 'small');
      expect(await mtuOf(await bridgeOf(host, 'small'))).toBe(1400);
      expect(await host.docker('exec', 'c1', 'cat', '/sys/class/net/eth0/mtu')).toBe('1400');
      expect(await passesWhole('c1', c2.address4, 1400)).toContain(' 0% packet loss');
      expect(await passesWhole('c1', c2.address4, 1401)).toContain('message too long, mtu=1400');
    },
  );

  it('carries jumbo packets within, and tells containers what the LAN takes', async () => {
    await createNetwork(host, 'jumbo', ...SUBNET, ...driverOptions({ mtu: '9000' }));
    await startContainer(host, 'c1', 'jumbo');
    const c2 = await startContainer(host, 'c2', 'jumbo');
    expect(await passesWhole('c1', c2.address4, 9000)).toContain(' 0% packet loss');
    expect(await passesWhole('c1', LAN, 5000)).toMatch(/From 198\.18\.9\.1 .*Frag needed .*mtu = 1500/);
    expect(await passesWhole('c1', LAN, 1500)).toContain(' 0% packet loss');
  });

  it('names the interface in the container by container_iface_prefix', async () => {
    const prefix = driverOptions({ 'com.docker.network.container_iface_prefix': 'lan' });
    await createNetwork(host, 'named', ...SUBNET, ...prefix);
    await startContainer(host, 'c1', 'named');
    expect(await routesIn(host, 'c1')).toContain('default via 198.18.9.1 dev lan0');
    expect(await answers({ on: host, container: 'c1' }, LAN)).toBe(true);
  });

  it('adds the link-local address of --link-local-ip', async () => {
    await createNetwork(host, 'web', ...SUBNET);
    await startContainer(host, 'c1', 'web', '--link-local-ip', '169.254.77.1');
    await startContainer(host, 'c2', 'web', '--link-local-ip', '169.254.77.2');
    expect(await host.docker('exec', 'c1', 'ip', 'addr', 'show', 'eth0')).toContain('169.254.77.1/16');
    await reaches({ on: host, container: 'c1' }, '169.254.77.2');
  });

  it('has a gateway in each of several subnets, and routes between them', async () => {
    await createNetwork(host, 'two', ...SUBNET, '--subnet', '198.18.10.0/24');
    const c1 = await startContainer(host, 'c1', 'two', '--ip', '198.18.9.7');
    const c2 = await startContainer(host, 'c2', 'two', '--ip', '198.18.10.7');
    expect([c1.address4, c2.address4]).toEqual(['198.18.9.7', '198.18.10.7']);
    for (const [name, gateway, other] of [
      ['c1', '198.18.9.1', '198.18.10.7'],
      ['c2', '198.18.10.1', '198.18.9.7'],
    ] as const) {
      const inside = { on: host, container: name };
      expect(await routesIn(host, name)).toContain(`default via ${gateway} dev eth0`);
      expect(await answers(inside, LAN)).toBe(true);
      expect(await answers(inside, other)).toBe(true);
      expect(await answers(host.host, other)).toBe(true);
    }
  });

  it('makes a segment without addresses with the null IPAM', async () => {
    await createNetwork(host, 'bare', '--ipam-driver', 'null');
    const c1 = await startContainer(host, 'c1', 'bare');
    const c2 = await startContainer(host, 'c2', 'bare');
    expect(c1.address4).toBe('');
    expect(c1.mac).toMatch(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/);
    expect(c1.mac).not.toBe(c2.mac);
    expect(await ipJson(host.host, '-4', 'addr', 'show', 'dev', await bridgeOf(host, 'bare'))).toEqual([]);
    // no other interface either, such as one of docker_gwbridge
    const links = await host.docker('exec', 'c1', 'ls', '/sys/class/net');
    expect(links.split(/\s+/)).toEqual(['eth0', 'lo']);
    expect(await host.docker('network', 'ls', '--format', '{{.Name}}')).not.toContain('docker_gwbridge');

    await inContainer(host, 'c1', 'ip', 'addr', 'add', '198.18.20.1/24', 'dev', 'eth0');
    await inContainer(host, 'c2', 'ip', 'addr', 'add', '198.18.20.2/24', 'dev', 'eth0');
    await reaches({ on: host, container: 'c1' }, '198.18.20.2');
  });

  it.each([
    ['com.docker.network.bridge.enable_iccc=false', 'com.docker.network.bridge.enable_icc'],
    ['com.docker.network.bridge.mtu=1400', 'com.docker.network.driver.mtu'],
    ['enable_ip_masquerad=false', 'enable_ip_masquerade'],
    ['Parent=eth0', 'parent'],
  ])('refuses the unknown option %s and names %s', async (option, known) => {
    const words = await host.refused('network', 'create', '-d', 'tsnet', '-o', option, 'wrong');
    expect(words).toContain('OPTION_UNKNOWN: option ');
    expect(words).toMatch(new RegExp(`is not known; (mtu|${known.replaceAll('.', '\\.')}) is the nearest`));
    expect(await host.docker('network', 'ls', '--format', '{{.Name}}')).not.toContain('wrong');
  });

  it.each([
    ['com.docker.network.driver.mtu=67', 'OPTION_INVALID'],
    ['com.docker.network.driver.mtu=1e3', 'OPTION_INVALID'],
    ['com.docker.network.bridge.enable_icc=maybe', 'OPTION_INVALID'],
    ['com.docker.network.container_iface_prefix=0/x', 'OPTION_INVALID'],
    ['com.docker.network.bridge.name=way-too-long-for-a-link', 'OPTION_INVALID'],
    ['mode=brigde', 'OPTION_INVALID'],
    ['macvlan_mode=vepa,mode=bridge', 'OPTION_CONFLICT'],
  ])('refuses %s with %s', async (options, code) => {
    const arguments_ = options.split(',').flatMap(option => ['-o', option]);
    const words = await host.refused('network', 'create', '-d', 'tsnet', ...arguments_, 'wrong');
    expect(words).toContain(`${code}: option`);
    expect(await host.docker('network', 'ls', '--format', '{{.Name}}')).not.toContain('wrong');
  });

  it('refuses a subnet that overlaps one of another network', async () => {
    await createNetwork(host, 'first', '--subnet', '198.18.8.0/23');
    const words = await host.refused('network', 'create', '-d', 'tsnet', ...SUBNET, 'second');
    // the engine's IPAM is first to see it
    expect(words).toMatch(/[Pp]ool overlaps|SUBNET_OVERLAP/);
  });

  it.each([
    ['-p', '8080:80'],
    ['-P', '--expose', '80'],
  ])('publishes %s %s itself, on its one interface', async (...publish) => {
    await createNetwork(host, 'web', ...SUBNET);
    await startContainer(host, 'shop', 'web', ...publish);
    await startContainer(host, 'peer', 'web');
    await serveName(host, 'shop');
    expect(await talk(lab.lan, host.host.address, await hostPortOf(host, 'shop'))).toBe('shop');
    expect(await talk({ on: host, container: 'peer' }, 'shop', 80)).toBe('shop');
    expect(await host.docker('exec', 'shop', 'ls', '/sys/class/net')).toMatch(/^eth0\s+lo$/);
    expect(await host.docker('network', 'ls', '--format', '{{.Name}}')).not.toContain('docker_gwbridge');
    // the engine has no way to learn of it from a driver like this
    expect(await host.docker('port', 'shop')).toBe('');
  });

  it('leaves ports to a network of the bridge driver that the container is on as well', async () => {
    await createNetwork(host, 'web', ...SUBNET);
    const create = ['create', '--name', 'shop', '--network', 'bridge', '-p', '8080:80'];
    await host.docker(...create, 'busybox', 'sleep', '1d');
    await host.docker('network', 'connect', 'web', 'shop');
    // The engine joins the networks in random order, and each is the gateway's while it is the only one.
    for (let start = 0; start < 8; start++) await host.docker('restart', '-t', '0', 'shop');
    await startContainer(host, 'peer', 'web');
    await serveName(host, 'shop');
    expect(await talk(lab.lan, host.host.address, 8080)).toBe('shop');
    expect(await talk({ on: host, container: 'peer' }, 'shop', 80)).toBe('shop');
    expect(await host.docker('port', 'shop')).toContain('80/tcp -> 0.0.0.0:8080');
    expect(await portRows(host)).toEqual([]);
  });

  it('takes the first address for the gateway on a bridge; a macvlan segment has one only if it is named', async () => {
    await createNetwork(host, 'web', ...SUBNET);
    await createNetwork(host, 'segment', '--subnet', '198.18.10.0/24', ...driverOptions({ mode: 'macvlan' }));
    expect((await startContainer(host, 'c1', 'web')).address4).toBe('198.18.9.2');
    expect((await host.attachment('c1', 'web'))['Gateway']).toBe('198.18.9.1');
    // Engines ask whether a gateway is wanted (GwAllocCheck) from 28 on, and take an address in any case before.
    const first = await startContainer(host, 'c2', 'segment');
    expect(first.address4).toBe(engine === '20.10' ? '198.18.10.2' : '198.18.10.1');
  });

  it('leaves no bridge behind where a network could not be created', async () => {
    await host.host.sh('ip link add taken type veth peer name taken-too');
    const named = driverOptions({ 'com.docker.network.bridge.name': 'taken' });
    const words = await host.refused('network', 'create', '-d', 'tsnet', ...SUBNET, ...named, 'wrong');
    expect(words).toContain('NOT_A_BRIDGE: link taken is of kind veth');
    expect(await hasLink(host.host, 'taken')).toBe(true);
    await host.host.sh('ip link del taken');
    await soon(async () => expect(await host.links()).toEqual([]));
  });
});
