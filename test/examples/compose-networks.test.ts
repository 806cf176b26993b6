import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { clean, routesIn, seenAs, startPeerServer } from '../engine/support/bridge-lab.ts';
import { interfaceOn } from '../engine/support/inside-lab.ts';
import { answers, attached, reaches } from '../engine/support/macvlan-lab.ts';
import { published } from '../engine/support/publish-lab.ts';
import { ENGINES, type TsnetHost, tsnetLab } from '../engine/support/tsnet-host.ts';
import type { Lab } from '../lab/lab.ts';
import { hasNewest, Project } from './support/project.ts';

const SUBNET4 = '198.18.21.0/24';
const SUBNET6 = '2001:db8:21::/64';
const LAN4 = '198.18.0.1';
const LAN6 = 'fd99::1';

/** What a compose file may say of a network: docs/compose.md has the table. */
describe.each(ENGINES)('networks of compose files, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;
  let project: Project;

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
    project = new Project(host);
    await startPeerServer(lab.lan);
  });
  afterEach(() => clean(host));
  afterAll(() => lab?.destroy());

  const on = (service: string) => ({ on: host, container: project.container(service) });

  describe.each(['default', 'tsnet'])('ipam, driver %s', driver => {
    const networks = {
      net: {
        enable_ipv6: true,
        ipam: {
          driver,
          config: [
            {
              subnet: SUBNET4,
              ip_range: '198.18.21.64/29',
              gateway: '198.18.21.254',
              aux_addresses: { printer: '198.18.21.65' },
            },
            { subnet: SUBNET6, gateway: '2001:db8:21::ff' },
          ],
        },
      },
    };

    it('subnet, ip_range, gateway, aux_addresses', async () => {
      const networksOf = { networks: { net: {} } };
      await project.up({ a: networksOf, b: networksOf, c: networksOf }, networks);
      const given = await Promise.all(
        ['a', 'b', 'c'].map(name => attached(host, project.container(name), 'keys_net')),
      );
      for (const { address4, address6 } of given) {
        expect(address4).toMatch(/^198\.18\.21\.(6[4-9]|7[01])$/);
        expect(address4).not.toBe('198.18.21.65');
        expect(address6).toMatch(/^2001:db8:21::/);
      }
      expect(new Set(given.map(({ address4 }) => address4)).size).toBe(3);
      expect(await routesIn(host, project.container('a'))).toContain('default via 198.18.21.254 ');
      expect(await routesIn(host, project.container('a'), '-6')).toContain('default via 2001:db8:21::ff ');
      for (const there of ['198.18.21.254', '2001:db8:21::ff', 'b', LAN4, LAN6])
        await reaches(on('a'), there);
    });

    it.each([
      ['an aux address', '198.18.21.65'],
      ['the gateway', '198.18.21.254'],
    ])('%s is for nobody else', async (_, address) => {
      const words = await project.refused({ a: { networks: { net: { ipv4_address: address } } } }, networks);
      expect(words).toContain(driver === 'tsnet' ? `ADDRESS_TAKEN: ${address}` : 'Address already in use');
    });
  });

  it('ipam without a subnet: the IPAM driver chooses', async () => {
    const nets = { one: {}, two: { ipam: { driver: 'tsnet' } } };
    await project.up({ a: { networks: ['one', 'two'] }, b: { networks: ['two'] } }, nets);
    await reaches(on('b'), 'a');
    expect(await seenAs(on('b'), LAN4)).toBe(host.host.address);
  });

  it('ipam options are refused by the driver tsnet, which has none', async () => {
    // on the command line: compose does not pass them on
    const create = ['network', 'create', '-d', 'tsnet', '--ipam-driver', 'tsnet'];
    const words = await host.refused(...create, '--ipam-opt', 'speed=high', 'net');
    expect(words).toContain('OPTION_UNKNOWN: IPAM option "speed" is not known');
  });

  it('driver_opts, as text and as numbers', async () => {
    const driver_opts = {
      'com.docker.network.driver.mtu': 1420,
      'com.docker.network.container_iface_prefix': 'web',
      enable_icc: 'false',
    };
    await project.up({ a: { networks: ['net'] }, b: { networks: ['net'] } }, { net: { driver_opts } });
    const { ifname, mtu } = await interfaceOn(host, project.container('a'), 'keys_net');
    expect({ ifname, mtu }).toEqual({ ifname: 'web0', mtu: 1420 });
    expect(await answers(on('a'), 'b')).toBe(false);
    await reaches(on('a'), LAN4);
  });

  it.each([
    [{ parnet: 'eth0' }, 'OPTION_UNKNOWN: option "parnet" is not known; parent is the nearest'],
    [{ mtu: 10 }, 'OPTION_INVALID: option '],
    [{ parent: 'eth7' }, 'PARENT_MISSING: parent eth7 does not exist'],
    [{ publish: 'host' }, 'OPTION_CONFLICT: option publish is of mode macvlan, the network is bridge'],
  ])('driver_opts are refused in words: %j', async (driver_opts, words) => {
    expect(await project.refused({ a: { networks: ['net'] } }, { net: { driver_opts } })).toContain(words);
  });

  it('driver_opts are no truth values, for Compose', async () => {
    const net = { driver_opts: { enable_icc: false } };
    expect(await project.refused({ a: { networks: ['net'] } }, { net })).toContain(
      'must be a string or number',
    );
  });

  it('internal: no way in or out', async () => {
    const service = { networks: ['net'] };
    const net = { internal: true, enable_ipv6: true, ipam: { config: [{ subnet: SUBNET6 }] } };
    await project.up({ a: { ...service, ports: ['8080:80'] }, b: service }, { net });
    await reaches(on('a'), 'b');
    expect(await routesIn(host, project.container('a'))).not.toContain('default');
    expect(await routesIn(host, project.container('a'), '-6')).not.toContain('default');
    expect(await answers(on('a'), LAN4)).toBe(false);
    expect(await answers(on('a'), LAN6)).toBe(false);
    expect(await published(host)).toEqual([]);
  });

  it('enable_ipv6', async () => {
    const net = { enable_ipv6: true, ipam: { config: [{ subnet: SUBNET6 }] } };
    await project.up({ a: { networks: ['net'] }, b: { networks: ['net'] } }, { net });
    const { address6 } = await attached(host, project.container('b'), 'keys_net');
    expect(address6).toMatch(/^2001:db8:21::/);
    await reaches(on('a'), address6);
    expect(await seenAs(on('a'), LAN6)).toBe(host.host.address6);
    expect(await seenAs(on('a'), LAN4)).toBe(host.host.address);
  });

  it('enable_ipv6 without a subnet', async () => {
    const net = { enable_ipv6: true, ipam: { driver: 'tsnet' } };
    const services = { a: { networks: ['net'] }, b: { networks: ['net'] } };
    await project.up(services, { net });
    const { address6 } = await attached(host, project.container('b'), 'keys_net');
    expect(address6).toMatch(/^fd/);
    await reaches(on('a'), address6);
  });

  it('enable_ipv4', async context => {
    context.skip(!hasNewest(), 'scripts/setup/packages.sh has unpacked no newer compose');
    const newest = new Project(host, true);
    const net = { enable_ipv4: false, enable_ipv6: true, ipam: { config: [{ subnet: SUBNET6 }] } };
    const services = { a: { networks: ['net'] }, b: { networks: ['net'] } };
    await newest.up(services, { net });
    const { address4, address6 } = await attached(host, project.container('b'), 'keys_net');
    // engines before 28 do not know of it
    expect(address4 === '').toBe(Number.parseFloat(engine) >= 28);
    await reaches(on('a'), address6);
    expect(await seenAs(on('a'), LAN6)).toBe(host.host.address6);
  });
});
