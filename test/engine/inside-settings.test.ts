import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ATTACHMENTS } from '../../src/options.ts';
import type { Lab } from '../lab/lab.ts';
import { waitFor } from '../lab/wait.ts';
import { clean, createNetwork, driverOptions } from './support/bridge-lab.ts';
import { networkId } from './support/host-view.ts';
import {
  BEYOND,
  connectAs,
  type Interface,
  interfaceOn,
  madeAs,
  seesSandboxAtStart,
  startOnBase,
} from './support/inside-lab.ts';
import { attached, inContainer, reaches, startContainer } from './support/macvlan-lab.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

const SYSCTLS = 'com.docker.network.endpoint.sysctls';
const MAC = '02:00:5e:10:00:07';
const V4 = ['--subnet', '198.18.9.0/24'];
const V6 = ['--ipv6', '--subnet', '2001:db8:9::/64'];
/** Who makes the interface of a container that is on another network already, by the option. */
const MADE = { engine: undefined, auto: BEYOND, inside: BEYOND } as const;

/** What the engine does for an interface that it moves, tsnet does for one that it makes in place. */
describe.each(ENGINES)('settings of interfaces, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;
  const atStart = seesSandboxAtStart(engine);

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
    await startOnBase(host);
  });
  afterAll(async () => {
    try {
      if (host !== undefined) await clean(host);
    } finally {
      await lab?.destroy();
    }
  });

  /** Does something while there is a network `net`. */
  async function withNetwork<T>(options: readonly string[], task: () => Promise<T>): Promise<T> {
    await createNetwork(host, 'net', ...options);
    try {
      return await task();
    } finally {
      await host.host.docker('network', 'disconnect', '-f', 'net', 'c1');
      await host.host.discard('c2', 'peer');
      await host.docker('network', 'rm', 'net');
    }
  }

  /** Everything of an interface that a process of the container could find out, but for its name and number. */
  async function allOf(container: string, network: string): Promise<object> {
    const { ifname, ifindex, ...found } = await interfaceOn(host, container, network);
    const text = await inContainer(
      host,
      container,
      'sh',
      '-c',
      `for table in main local; do for f in -4 -6; do ip $f route show table $table dev ${ifname}; done; done`,
    );
    // /proc/sys/net is that of the reader's own network namespace
    const sysctls = await inContainer(
      host,
      container,
      'sh',
      '-c',
      `cd /proc/sys/net; grep -rs . ipv4/conf/${ifname} ipv6/conf/${ifname} ipv4/neigh/${ifname} ipv6/neigh/${ifname}`,
    ).catch((error: { stdout?: string }) => String(error.stdout));
    const neutral = (words: string) => words.replaceAll(ifname, 'IF').replaceAll(`if${ifindex}`, 'if');
    const { addr_info, ...link } = found as Interface & Record<string, unknown>;
    delete link['link_index'];
    delete link['link'];
    return {
      link,
      addresses: addr_info.map(address =>
        JSON.parse(neutral(JSON.stringify({ ...address, tentative: undefined }))),
      ),
      routes: neutral(text).split('\n').sort(),
      sysctls: neutral(sysctls).split('\n').sort(),
    };
  }

  /** That of an interface that was connected, whoever made it. */
  async function connected(
    attach: keyof typeof MADE,
    options: readonly string[],
    ...connect: string[]
  ): Promise<object> {
    return withNetwork([...options, ...driverOptions({ attach })], async () => {
      await host.docker('network', 'connect', ...connect, 'net', 'c1');
      expect(await madeAs(host, 'c1', 'net')).toBe(MADE[attach]);
      await settled();
      return allOf('c1', 'net');
    });
  }

  /** The kernel gives link-local addresses, and routes by them, a moment after an interface is up. */
  async function settled(container = 'c1'): Promise<void> {
    const tentative = ['ip', '-6', 'addr', 'show', 'tentative'];
    await waitFor(async () => (await inContainer(host, container, ...tentative)) === '', {
      what: 'IPv6 addresses to be usable',
    });
  }

  it.each([
    ['IPv4 alone', V4, ['--ip', '198.18.9.7']],
    ['both families', [...V4, ...V6], ['--ip', '198.18.9.7', '--ip6', '2001:db8:9::7']],
    [
      'an MTU',
      [...V4, ...driverOptions({ 'com.docker.network.driver.mtu': '1400' })],
      ['--ip', '198.18.9.7'],
    ],
    ['no way out', [...V4, ...V6, '--internal'], ['--ip', '198.18.9.7', '--ip6', '2001:db8:9::7']],
  ])('are the same, whoever makes them: %s', async (_, options, connect) => {
    const byEngine = await connected('engine', options, ...connect);
    expect(await connected('auto', options, ...connect)).toEqual(byEngine);
    expect(await connected('inside', options, ...connect)).toEqual(byEngine);
  });

  it('leave what IPv6 is to a container without it to the engine', async () => {
    await createNetwork(host, 'four', '--subnet', '198.18.7.0/24');
    await withNetwork([...V4, ...V6], async () => {
      const off = ['--sysctl', 'net.ipv6.conf.all.disable_ipv6=1'];
      await startContainer(host, 'c2', 'four', ...(atStart ? off : []));
      await host.docker('network', 'connect', 'net', 'c2');
      const { addr_info } = await interfaceOn(host, 'c2', 'net');
      // Up to 25 it switches IPv6 on, as nobody but itself knows; later ones ask for no such address to begin with.
      expect(await madeAs(host, 'c2', 'net')).toBe(atStart ? BEYOND : undefined);
      expect(addr_info.some(({ family }) => family === 'inet6')).toBe(!atStart);
      await reaches({ on: host, container: 'c2' }, '198.18.9.1');
    });
    await host.docker('network', 'rm', 'four');
  });

  it('are the same for the first interface of a container that starts', async context => {
    context.skip(!atStart, 'there is no sandbox yet');
    const found: object[] = [];
    for (const attach of ['engine', 'inside']) {
      await withNetwork([...V4, ...V6, ...driverOptions({ attach })], async () => {
        await startContainer(host, 'c2', 'net', '--ip', '198.18.9.7', '--ip6', '2001:db8:9::7');
        expect(await madeAs(host, 'c2', 'net')).toBe(attach === 'inside' ? 'eth0' : undefined);
        await settled('c2');
        found.push(await allOf('c2', 'net'));
      });
    }
    expect(found[1]).toEqual(found[0]);
  });

  describe.each(ATTACHMENTS)('attach=%s', attach => {
    const inWords = driverOptions({ attach });

    it('addresses as the network has them, usable at once, with a broadcast address', async () => {
      await withNetwork([...V4, ...V6, ...inWords], async () => {
        await host.docker('network', 'connect', 'net', 'c1');
        const { address, addr_info, flags } = await interfaceOn(host, 'c1', 'net');
        const said = await attached(host, 'c1', 'net');
        const global = addr_info.filter(({ scope }) => scope === 'global');
        expect(global).toMatchObject([
          { family: 'inet', local: said.address4, prefixlen: 24, broadcast: '198.18.9.255' },
          { family: 'inet6', local: said.address6, prefixlen: 64, nodad: true },
        ]);
        expect(address).toBe(said.mac);
        expect(address).toBe('02:42:c6:12:09:02');
        expect(flags).toEqual(expect.arrayContaining(['UP', 'LOWER_UP']));
        // no waiting for duplicates: at once
        expect(
          await inContainer(host, 'c1', 'busybox', 'ping', '-c', '1', '-W', '2', '2001:db8:9::1'),
        ).toMatch(/ 1 packets received/);
      });
    });

    it('no IPv6 where the endpoint has none, though the container has', async () => {
      await withNetwork([...V4, ...inWords], async () => {
        await host.docker('network', 'connect', 'net', 'c1');
        const { ifname, addr_info } = await interfaceOn(host, 'c1', 'net');
        expect(addr_info.map(({ family }) => family)).toEqual(['inet']);
        const path = `/proc/sys/net/ipv6/conf/${ifname}/disable_ipv6`;
        expect((await inContainer(host, 'c1', 'cat', path)).trim()).toBe('1');
      });
    });

    it('the MAC that the user has chosen', async () => {
      await withNetwork([...V4, ...inWords], async () => {
        // the newer command line has no word for it that the older engine knows
        const { status } = await host.host.api('POST', '/v1.41/containers/create?name=c2', {
          Image: 'busybox',
          Cmd: ['sleep', '1d'],
          MacAddress: MAC,
          HostConfig: { NetworkMode: 'net' },
        });
        expect(status).toBe(201);
        await host.docker('start', 'c2');
        expect((await interfaceOn(host, 'c2', 'net')).address).toBe(MAC);
        expect((await attached(host, 'c2', 'net')).mac).toBe(MAC);
        await host.docker('restart', '-t', '0', 'c2');
        expect((await interfaceOn(host, 'c2', 'net')).address).toBe(MAC);
        await reaches(host.host, '198.18.9.2');
      });
    });

    it('the MTU of the network, at both ends', async () => {
      const mtu = driverOptions({ 'com.docker.network.driver.mtu': '1380' });
      await withNetwork([...V4, ...mtu, ...inWords], async () => {
        await host.docker('network', 'connect', 'net', 'c1');
        expect((await interfaceOn(host, 'c1', 'net')).mtu).toBe(1380);
        const large = ['ping', '-c', '1', '-W', '1', '-M', 'do', '-s', '1353', '198.18.9.1'];
        await expect(inContainer(host, 'c1', ...large)).rejects.toThrow(/mtu.1380/);
        const fits = ['ping', '-c', '1', '-W', '1', '-M', 'do', '-s', '1352', '198.18.9.1'];
        expect(await inContainer(host, 'c1', ...fits)).toContain('1 received');
      });
    });

    it('kernel parameters that the endpoint asks for', async context => {
      context.skip(attach === 'engine' && engine === '20.10', 'the engine has no such option');
      await withNetwork([...V4, ...inWords], async () => {
        await connectAs(host, 'net', 'c1', {
          [SYSCTLS]: 'net.ipv4.conf.IFNAME.log_martians=1,net.ipv4.neigh.IFNAME.ucast_solicit=5',
        });
        const { ifname } = await interfaceOn(host, 'c1', 'net');
        const paths = [`conf/${ifname}/log_martians`, `neigh/${ifname}/ucast_solicit`];
        const read = paths.map(path => `/proc/sys/net/ipv4/${path}`);
        expect((await inContainer(host, 'c1', 'cat', ...read)).split('\n').slice(0, 2)).toEqual(['1', '5']);
        // its own alone
        expect(
          (await inContainer(host, 'c1', 'cat', '/proc/sys/net/ipv4/conf/eth0/log_martians')).trim(),
        ).toBe('0');
      });
    });

    it('what docker inspect says is what the container has', async () => {
      await withNetwork([...V4, ...V6, ...inWords], async () => {
        await host.docker('network', 'connect', '--ip', '198.18.9.77', '--alias', 'shop', 'net', 'c1');
        const { address, addr_info } = await interfaceOn(host, 'c1', 'net');
        const v6 = addr_info.find(({ family, scope }) => family === 'inet6' && scope === 'global')?.local;
        const id = await networkId(host, 'net');
        expect(await host.attachment('c1', 'net')).toMatchObject({
          NetworkID: id,
          IPAddress: '198.18.9.77',
          IPPrefixLen: 24,
          Gateway: '198.18.9.1',
          GlobalIPv6Address: v6,
          GlobalIPv6PrefixLen: 64,
          IPv6Gateway: '2001:db8:9::1',
          MacAddress: address,
        });
        const listed = JSON.parse(
          await host.docker('network', 'inspect', '-f', '{{json .Containers}}', 'net'),
        );
        expect(Object.values(listed)).toMatchObject([
          { Name: 'c1', MacAddress: address, IPv4Address: '198.18.9.77/24', IPv6Address: `${v6}/64` },
        ]);
        await startContainer(host, 'peer', 'net');
        await reaches({ on: host, container: 'peer' }, 'shop');
      });
    });

    it('bytes are counted by docker stats for what the engine moved, and not for what tsnet made', async () => {
      await withNetwork([...V4, ...inWords], async () => {
        await host.docker('network', 'connect', 'net', 'c1');
        await reaches({ on: host, container: 'c1' }, '198.18.8.1');
        await reaches({ on: host, container: 'c1' }, '198.18.9.1');
        const { body } = await host.host.api('GET', '/containers/c1/stats?stream=false');
        const { networks } = body as { networks: Record<string, { tx_bytes: number }> };
        expect(Object.keys(networks).sort()).toEqual(
          attach === 'engine' ? ['eth0', expect.any(String)] : ['eth0'],
        );
        for (const { tx_bytes } of Object.values(networks)) expect(tx_bytes).toBeGreaterThan(0);
      });
    });
  });

  it('bytes of a container whose every interface tsnet made are not counted', async context => {
    context.skip(!atStart, "the first one is always the engine's");
    await withNetwork([...V4, ...driverOptions({ attach: 'inside' })], async () => {
      await startContainer(host, 'c2', 'net');
      const { body } = await host.host.api('GET', '/containers/c2/stats?stream=false');
      expect((body as { networks?: object }).networks ?? {}).toEqual({});
    });
  });
});
