import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { cidrOverlaps, parseCidr } from '../../src/addresses.ts';
import type { Lab } from '../lab/lab.ts';
import { engineView, store } from './support/host-view.ts';
import { attached, reaches, startContainer } from './support/macvlan-lab.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

const SUBNET = ['--subnet', '198.18.64.0/24'];

describe.each(ENGINES)("tsnet's IPAM, engine %s", engine => {
  let lab: Lab;
  let host: TsnetHost;

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
  });
  /** Nothing is left taken when all containers and networks are gone. */
  afterEach(async () => {
    const containers = (await host.docker('ps', '-aq')).split('\n').filter(id => id !== '');
    if (containers.length > 0) await host.docker('rm', '-f', ...containers);
    await host.docker('network', 'prune', '-f');
    expect(await host.docker('network', 'ls', '-q', '-f', 'type=custom')).toBe('');
    const { pools, leases, networks, endpoints } = await store(host);
    expect({ pools, leases, networks, endpoints }).toEqual({
      pools: [],
      leases: [],
      networks: [],
      endpoints: [],
    });
  });
  afterAll(() => lab?.destroy());

  const create = (name: string, ...options: string[]) =>
    host.docker('network', 'create', '--ipam-driver', 'tsnet', ...options, name);
  const subnetsOf = async (name: string): Promise<string[]> =>
    (await host.docker('network', 'inspect', '-f', '{{range .IPAM.Config}}{{.Subnet}} {{end}}', name)).split(
      ' ',
    );
  const addressOf = async (name: string, network: string) => (await attached(host, name, network)).address4;

  it.each(['tsnet', 'bridge'])('chooses pools that do not overlap, for the driver %s', async driver => {
    const names = ['one', 'two', 'three'];
    for (const name of names) await create(name, '-d', driver);
    const pools = (await Promise.all(names.map(subnetsOf))).flat().map(parseCidr);
    expect(pools).toHaveLength(3);
    pools.forEach((pool, at) => {
      for (const other of pools.slice(at + 1)) expect(cidrOverlaps(pool, other)).toBe(false);
    });
    await startContainer(host, 'c1', 'two');
    await startContainer(host, 'c2', 'two');
    await reaches({ on: host, container: 'c1' }, 'c2');
    await reaches({ on: host, container: 'c1' }, '198.18.0.1');
  });

  it.each(['tsnet', 'bridge'])(
    'keeps to subnet, range, gateway and aux addresses, for the driver %s',
    async driver => {
      const range = ['--ip-range', '198.18.64.64/29', '--gateway', '198.18.64.254'];
      const aux = ['--aux-address', 'printer=198.18.64.65', '--aux-address', 'outside=198.18.64.9'];
      const v6 = ['--ipv6', '--subnet', '2001:db8:7::/64', '--gateway', '2001:db8:7::ff'];
      await create('web', '-d', driver, ...SUBNET, ...range, ...aux, ...v6);
      const config = '{{(index .IPAM.Config 0).Gateway}} {{(index .IPAM.Config 0).IPRange}}';
      expect(await host.docker('network', 'inspect', '-f', config, 'web')).toBe(
        '198.18.64.254 198.18.64.64/29',
      );
      await startContainer(host, 'c1', 'web');
      await startContainer(host, 'c2', 'web');
      const given = await Promise.all(['c1', 'c2'].map(name => attached(host, name, 'web')));
      for (const { address4, address6 } of given) {
        expect(address4).toMatch(/^198\.18\.64\.(6[4-9]|7[01])$/);
        expect(address4).not.toBe('198.18.64.65');
        expect(address6).toMatch(/^2001:db8:7::[0-9a-f]+$/);
      }
      expect(new Set(given.flatMap(({ address4, address6 }) => [address4, address6])).size).toBe(4);
      // what is outside of the range can be asked for, what is an aux address cannot
      await startContainer(host, 'c3', 'web', '--ip', '198.18.64.200', '--ip6', '2001:db8:7::abc');
      expect(await attached(host, 'c3', 'web')).toMatchObject({
        address4: '198.18.64.200',
        address6: '2001:db8:7::abc',
      });
      await reaches({ on: host, container: 'c3' }, given[0]?.address6 ?? '');
      await reaches({ on: host, container: 'c3' }, '198.18.64.254');
      const taken = ['run', '--rm', '--network', 'web', '--ip', '198.18.64.9', 'busybox', 'true'];
      expect(await host.refused(...taken)).toContain('ADDRESS_TAKEN');
    },
  );

  it('gives no address twice, and says which is taken', async () => {
    await create('web', '-d', 'tsnet', ...SUBNET);
    await startContainer(host, 'c1', 'web', '--ip', '198.18.64.7');
    const run = ['run', '--rm', '--network', 'web', '--ip'];
    const complaint = await host.refused(...run, '198.18.64.7', 'busybox', 'true');
    expect(complaint).toMatch(/ADDRESS_TAKEN: 198\.18\.64\.7 of the pool 198\.18\.64\.0\/24 is taken/);
    expect(await host.refused(...run, '198.18.64.1', 'busybox', 'true')).toContain('ADDRESS_TAKEN');
    expect(await host.refused(...run, '198.18.65.7', 'busybox', 'true')).toMatch(/subnet|ADDRESS_INVALID/);
  });

  it('says so when a pool has no address left, and gives one that was freed', async () => {
    await create('small', '-d', 'tsnet', '--subnet', '198.18.64.0/30');
    const { address4 } = await startContainer(host, 'c1', 'small');
    expect(address4).toBe('198.18.64.2');
    const complaint = await host.refused('run', '--rm', '--network', 'small', 'busybox', 'true');
    expect(complaint).toContain('ADDRESSES_EXHAUSTED');
    expect(complaint).toContain('198.18.64.0/30');
    await host.docker('rm', '-f', 'c1');
    expect((await startContainer(host, 'c2', 'small')).address4).toBe('198.18.64.2');
  });

  it('does not give an address again that was just freed', async () => {
    await create('web', '-d', 'tsnet', ...SUBNET);
    const first = await startContainer(host, 'c1', 'web');
    await host.docker('rm', '-f', 'c1');
    const second = await startContainer(host, 'c2', 'web');
    await host.docker('rm', '-f', 'c2');
    const third = await startContainer(host, 'c3', 'web');
    expect(new Set([first, second, third].map(container => container.address4)).size).toBe(3);
  });

  it.each(['TERM', 'KILL'] as const)(
    'knows after a restart of the engine what is taken (%s)',
    async signal => {
      await create('web', '-d', 'tsnet', ...SUBNET, '--aux-address', 'printer=198.18.64.99');
      await create('auto', '-d', 'bridge');
      const always = ['--restart', 'always'];
      await startContainer(host, 'c1', 'web', ...always, '--ip', '198.18.64.50');
      await startContainer(host, 'c2', 'web', ...always);
      await startContainer(host, 'c3', 'auto', ...always);
      const pools = (await store(host)).pools;
      await host.host.stopEngine(signal);
      await host.host.startEngine();
      await reaches(host.host, '198.18.64.50');
      await reaches(host.host, await addressOf('c2', 'web'));
      await reaches(host.host, await addressOf('c3', 'auto'));

      const after = await store(host);
      expect(after.pools).toEqual(pools);
      const used = [
        await addressOf('c1', 'web'),
        await addressOf('c2', 'web'),
        await addressOf('c3', 'auto'),
        await host.docker('network', 'inspect', '-f', '{{(index .IPAM.Config 0).Gateway}}', 'auto'),
      ];
      // besides those: the gateway of web, and its aux address
      expect(after.leases).toEqual([...used, '198.18.64.1', '198.18.64.99'].sort());
      expect(after.endpoints.map(endpoint => endpoint.id).sort()).toEqual((await engineView(host)).endpoints);
      const taken = ['run', '--rm', '--network', 'web', '--ip', '198.18.64.99', 'busybox', 'true'];
      expect(await host.refused(...taken)).toContain('ADDRESS_TAKEN');
    },
  );

  it('chooses another pool when the engine rejects many: one that the host has a route for', async () => {
    // A quarter of what tsnet chooses from at least, whatever comes next. The engine asks again for each.
    await host.host.exec('ip', ['route', 'add', '172.28.0.0/14', 'dev', 'eth0', 'scope', 'link']);
    try {
      await create('one', '-d', 'tsnet');
      await create('two', '-d', 'bridge');
      const pools = [...(await subnetsOf('one')), ...(await subnetsOf('two'))];
      for (const pool of pools) expect(cidrOverlaps(parseCidr(pool), parseCidr('172.28.0.0/14'))).toBe(false);
      expect(new Set(pools).size).toBe(2);
      // those that were rejected are free again
      expect((await store(host)).pools).toHaveLength(2);
    } finally {
      await host.host.exec('ip', ['route', 'delete', '172.28.0.0/14', 'dev', 'eth0']);
    }
  });

  it('lets networks of macvlan share a subnet, and their containers not an address', async () => {
    const lan = ['-d', 'tsnet', '--subnet', '198.18.0.0/24', '--gateway', '198.18.0.1', '-o', 'parent=eth0'];
    await create('lan1', ...lan, '--ip-range', '198.18.0.192/27');
    await create('lan2', ...lan, '--ip-range', '198.18.0.192/27');
    const one = await startContainer(host, 'c1', 'lan1');
    const two = await startContainer(host, 'c2', 'lan2');
    expect(one.address4).not.toBe(two.address4);
    expect(
      await host.refused('run', '--rm', '--network', 'lan2', '--ip', one.address4, 'busybox', 'true'),
    ).toContain('ADDRESS_TAKEN');
    await reaches(lab.lan, one.address4);
    await reaches(host.host, two.address4);
    await host.docker('rm', '-f', 'c1');
    await host.docker('network', 'rm', 'lan1');
    expect(
      await host.refused('run', '--rm', '--network', 'lan2', '--ip', two.address4, 'busybox', 'true'),
    ).toContain('ADDRESS_TAKEN');
    await reaches(host.host, two.address4);
  });
});
