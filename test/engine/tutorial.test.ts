import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../lab/lab.ts';
import { clean, createNetwork, hasLink, routesIn } from './support/bridge-lab.ts';
import { bridgeOf } from './support/host-view.ts';
import { answers, attached, reaches, startContainer } from './support/macvlan-lab.ts';
import { soon } from './support/soon.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

/** What Docker's own tutorials on networks have their readers type, with `-d tsnet`. */
describe.each(ENGINES)('the network tutorials, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
  });
  afterEach(() => clean(host));
  afterAll(() => lab?.destroy());

  const inside = (container: string) => ({ on: host, container });
  const inspect = async (network: string) => JSON.parse(await host.docker('network', 'inspect', network))[0];

  it('creates a network without any option, shows it, and removes it', async () => {
    const id = await createNetwork(host, 'alpine-net');
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    const format = '{{.Name}} {{.Driver}} {{.Scope}}';
    expect(await host.docker('network', 'ls', '--format', format)).toContain('alpine-net tsnet local');
    const bridge = await bridgeOf(host, 'alpine-net');
    expect(await host.links()).toEqual([bridge]);
    expect(await host.docker('network', 'rm', 'alpine-net')).toBe('alpine-net');
    await soon(async () => expect(await hasLink(host.host, bridge)).toBe(false));
    expect(await host.docker('network', 'ls', '--format', '{{.Name}}')).not.toContain('alpine-net');
  });

  it('is walked through with four containers, as "Networking with standalone containers" has it', async () => {
    await createNetwork(host, 'alpine-net');
    for (const name of ['alpine1', 'alpine2', 'alpine4']) await startContainer(host, name, 'alpine-net');
    const alpine3 = await startContainer(host, 'alpine3', 'bridge');
    await host.docker('network', 'connect', 'bridge', 'alpine4');

    const { Containers } = await inspect('alpine-net');
    const names = Object.values(Containers as Record<string, { Name: string }>).map(({ Name }) => Name);
    expect(names.sort()).toEqual(['alpine1', 'alpine2', 'alpine4']);
    for (const name of ['alpine1', 'alpine2', 'alpine4']) {
      expect(await answers(inside('alpine1'), name), name).toBe(true);
    }
    // not by name, for it is on no common network, and not by address
    expect(await answers(inside('alpine1'), 'alpine3')).toBe(false);
    expect(await answers(inside('alpine1'), alpine3.address4)).toBe(false);
    // the one that is on both reaches all, on the default bridge by address
    for (const target of ['alpine1', 'alpine2', alpine3.address4]) {
      expect(await answers(inside('alpine4'), target), target).toBe(true);
    }
    for (const name of ['alpine1', 'alpine3', 'alpine4']) {
      expect(await answers(inside(name), '198.18.0.1'), `${name} to the LAN`).toBe(true);
    }
    await host.docker('container', 'stop', '-t', '0', 'alpine1', 'alpine2', 'alpine3', 'alpine4');
    await host.docker('container', 'rm', 'alpine1', 'alpine2', 'alpine3', 'alpine4');
    await host.docker('network', 'rm', 'alpine-net');
    await soon(async () => expect(await host.links()).toEqual([]));
  });

  it('runs, names and reaches containers in one command each', async () => {
    await createNetwork(host, 'web');
    await startContainer(host, 'c1', 'web');
    const run = ['run', '--rm', '--network', 'web', 'busybox'];
    expect(await host.docker(...run, 'ping', '-c', '1', 'c1')).toContain(' 0% packet loss');
    expect(await host.docker(...run, 'ping', '-c', '1', '198.18.0.1')).toContain(' 0% packet loss');
    expect((await inspect('web')).Containers).toHaveProperty([
      await host.docker('inspect', '-f', '{{.Id}}', 'c1'),
    ]);
  });

  it('shows address, MAC, gateway, subnet and options', async () => {
    const subnet = ['--subnet', '198.18.40.0/22', '--ip-range', '198.18.41.0/24', '--gateway', '198.18.40.3'];
    const labels = ['--label', 'who=me', '-o', 'com.docker.network.driver.mtu=1420'];
    await createNetwork(host, 'shown', ...subnet, '--aux-address', 'router=198.18.40.9', ...labels);
    await startContainer(host, 'c1', 'shown');
    expect(await inspect('shown')).toMatchObject({
      Name: 'shown',
      Driver: 'tsnet',
      Scope: 'local',
      EnableIPv6: false,
      Internal: false,
      Labels: { who: 'me' },
      Options: { 'com.docker.network.driver.mtu': '1420' },
      IPAM: {
        Driver: 'default',
        Config: [
          {
            Subnet: '198.18.40.0/22',
            IPRange: '198.18.41.0/24',
            Gateway: '198.18.40.3',
            AuxiliaryAddresses: { router: '198.18.40.9' },
          },
        ],
      },
      Containers: {
        [await host.docker('inspect', '-f', '{{.Id}}', 'c1')]: {
          Name: 'c1',
          IPv4Address: '198.18.41.0/22',
          MacAddress: '02:42:c6:12:29:00',
        },
      },
    });
    expect(await host.attachment('c1', 'shown')).toMatchObject({
      IPAddress: '198.18.41.0',
      IPPrefixLen: 22,
      Gateway: '198.18.40.3',
      MacAddress: '02:42:c6:12:29:00',
    });
    // and that is how it is inside
    const shown = await host.docker('exec', 'c1', 'ip', 'addr', 'show', 'eth0');
    expect(shown).toContain('inet 198.18.41.0/22');
    expect(shown).toContain('link/ether 02:42:c6:12:29:00');
    expect(await routesIn(host, 'c1')).toContain('default via 198.18.40.3 dev eth0');
  });

  it('connects and disconnects a running container', async () => {
    await createNetwork(host, 'one', '--subnet', '198.18.8.0/24');
    await createNetwork(host, 'two', '--subnet', '198.18.9.0/24');
    await startContainer(host, 'c1', 'one');
    const peer = await startContainer(host, 'peer', 'two');
    expect(await answers(inside('c1'), peer.address4)).toBe(false);
    const links = await host.links();

    await host.docker('network', 'connect', '--ip', '198.18.9.99', '--alias', 'guest', 'two', 'c1');
    expect((await attached(host, 'c1', 'two')).address4).toBe('198.18.9.99');
    expect(await answers(inside('c1'), 'peer')).toBe(true);
    expect(await answers(inside('peer'), 'guest')).toBe(true);
    expect(await host.docker('exec', 'c1', 'ip', 'addr')).toMatch(/inet 198\.18\.9\.99\/24 .* eth\d+$/m);

    await host.docker('network', 'disconnect', 'two', 'c1');
    expect(await answers(inside('c1'), peer.address4)).toBe(false);
    await soon(async () => expect(await host.links()).toEqual(links));
    expect((await host.docker('exec', 'c1', 'ls', '/sys/class/net')).split(/\s+/)).toEqual(['eth0', 'lo']);
    expect(await answers(inside('c1'), '198.18.0.1')).toBe(true);

    // off everything, and back
    await host.docker('network', 'disconnect', 'one', 'c1');
    expect((await host.docker('exec', 'c1', 'ls', '/sys/class/net')).split(/\s+/)).toEqual(['lo']);
    await host.docker('network', 'connect', 'one', 'c1');
    await reaches(inside('c1'), '198.18.8.1');
  });

  it('takes its default route from the first of two networks by name, and from the other when that one goes', async () => {
    await createNetwork(host, 'alpha', '--subnet', '198.18.8.0/24');
    await createNetwork(host, 'beta', '--subnet', '198.18.9.0/24');
    await startContainer(host, 'c1', 'beta');
    expect(await routesIn(host, 'c1')).toContain('default via 198.18.9.1');
    await host.docker('network', 'connect', 'alpha', 'c1');
    expect(await routesIn(host, 'c1')).toContain('default via 198.18.8.1');
    expect(await answers(inside('c1'), '198.18.0.1')).toBe(true);
    await host.docker('network', 'disconnect', 'alpha', 'c1');
    expect(await routesIn(host, 'c1')).toContain('default via 198.18.9.1');
    expect(await answers(inside('c1'), '198.18.0.1')).toBe(true);
  });

  it('refuses to remove a network with containers on it, which goes on as it was', async () => {
    await createNetwork(host, 'busy');
    await startContainer(host, 'c1', 'busy');
    const links = await host.links();
    expect(await host.refused('network', 'rm', 'busy')).toContain('has active endpoints');
    expect(await host.links()).toEqual(links);
    expect(await answers(inside('c1'), '198.18.0.1')).toBe(true);
    // a stopped one holds nothing
    await host.docker('stop', '-t', '0', 'c1');
    await host.docker('network', 'rm', 'busy');
    await soon(async () => expect(await host.links()).toEqual([]));
  });

  it('reaches containers by alias, and several by one', async () => {
    await createNetwork(host, 'web');
    const db1 = await startContainer(
      host,
      'db1',
      'web',
      '--network-alias',
      'db',
      '--network-alias',
      'primary',
    );
    const db2 = await startContainer(host, 'db2', 'web', '--network-alias', 'db');
    await startContainer(host, 'app', 'web');
    for (const name of ['db', 'primary', 'db1', 'db2']) {
      expect(await answers(inside('app'), name), name).toBe(true);
    }
    const found = await host.docker('exec', 'app', 'nslookup', 'db', '127.0.0.11');
    expect(found).toContain(db1.address4);
    expect(found).toContain(db2.address4);
  });

  it('restarts, renames, pauses and kills containers', async () => {
    await createNetwork(host, 'web');
    await startContainer(host, 'watcher', 'web');
    await startContainer(host, 'c1', 'web');
    const links = (await host.links()).length;
    await host.docker('restart', '-t', '0', 'c1');
    expect(await answers(inside('watcher'), 'c1')).toBe(true);
    await host.docker('rename', 'c1', 'renamed');
    expect(await answers(inside('watcher'), 'renamed')).toBe(true);
    expect(await answers(host.host, (await attached(host, 'renamed', 'web')).address4)).toBe(true);
    await host.docker('pause', 'renamed');
    await host.docker('unpause', 'renamed');
    expect(await answers(inside('watcher'), 'renamed')).toBe(true);
    await host.docker('kill', 'renamed');
    await host.docker('wait', 'renamed');
    await host.docker('start', 'renamed');
    expect(await answers(inside('watcher'), 'renamed')).toBe(true);
    await soon(async () => expect((await host.links()).length).toBe(links));
  });

  it('connects a stopped container, and disconnects one', async () => {
    await createNetwork(host, 'one');
    await createNetwork(host, 'two');
    await startContainer(host, 'peer', 'two');
    await host.docker('create', '--name', 'c1', '--network', 'one', 'busybox', 'sleep', '1d');
    await host.docker('network', 'connect', '--alias', 'late', 'two', 'c1');
    expect(await answers(inside('peer'), 'late')).toBe(false);
    await host.docker('start', 'c1');
    expect(await answers(inside('peer'), 'late')).toBe(true);
    expect(await answers(inside('c1'), 'peer')).toBe(true);
    await host.docker('stop', '-t', '0', 'c1');
    await host.docker('network', 'disconnect', 'two', 'c1');
    await host.docker('start', 'c1');
    expect((await host.docker('exec', 'c1', 'ls', '/sys/class/net')).split(/\s+/)).toEqual(['eth0', 'lo']);
    expect(await host.attachment('c1', 'two')).toBeUndefined();
  });

  it.each(['test@#$', 'kiwl$%^', 'a b', '日本', 'a/b', `q"u'o;t\`e`, '$(reboot)', 'x'.repeat(300)])(
    'creates, uses and removes a network called %s',
    async name => {
      await createNetwork(host, name);
      await startContainer(host, 'c1', name);
      expect(await answers(inside('c1'), '198.18.0.1')).toBe(true);
      await host.docker('rm', '-f', 'c1');
      await host.docker('network', 'rm', name);
      await soon(async () => expect(await host.links()).toEqual([]));
    },
  );
});
