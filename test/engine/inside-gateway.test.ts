import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ATTACHMENTS } from '../../src/options.ts';
import type { Lab } from '../lab/lab.ts';
import { createNetwork, driverOptions, routesIn } from './support/bridge-lab.ts';
import {
  BEYOND,
  connectWith,
  everything,
  interfaceOn,
  madeAs,
  seesSandboxAtStart,
} from './support/inside-lab.ts';
import { answers, attached, inContainer, reaches, startContainer } from './support/macvlan-lab.ts';
import { asks, expectUnpublished, mapElements, ready, startServer } from './support/publish-lab.ts';
import { soon } from './support/soon.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

const LAN4 = '198.18.0.1';
const LAN6 = 'fd99::1';
const dual = (number: number) => [
  '--subnet',
  `198.18.${number}.0/24`,
  '--ipv6',
  '--subnet',
  `2001:db8:${number}::/64`,
];

/** Of a container's networks one has its default routes, whoever made the interfaces. */
describe.each(ENGINES)('default routes, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;
  let before: Awaited<ReturnType<typeof everything>>;
  const atStart = seesSandboxAtStart(engine);

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
    // By name, what begins with `a` wins against `mid`, and that against `z`.
    await createNetwork(host, 'mid', ...dual(20));
    for (const [at, attach] of ATTACHMENTS.entries()) {
      await createNetwork(host, `a-${attach}`, ...dual(21 + at), ...driverOptions({ attach }));
      await createNetwork(host, `z-${attach}`, ...dual(31 + at), ...driverOptions({ attach }));
    }
    const vpn = driverOptions({ 'com.docker.network.container_iface_prefix': 'vpn' });
    await createNetwork(host, 'a-vpn', ...dual(42), ...vpn);
    const own = driverOptions({ attach: 'inside', 'com.docker.network.container_iface_prefix': 'own' });
    await createNetwork(host, 'z-own', ...dual(43), ...own);
    await createNetwork(host, 'a-shut', '--internal', ...dual(41));
    before = await everything(host);
  });
  afterEach(async () => {
    const containers = await host.docker('ps', '-aq');
    if (containers !== '') await host.docker('rm', '-f', ...containers.split('\n'));
    await soon(async () => expect(await everything(host)).toEqual(before));
  });
  afterAll(() => lab?.destroy());

  const connect = (network: string) => host.docker('network', 'connect', network, 'c1');
  const disconnect = (network: string) => host.docker('network', 'disconnect', network, 'c1');

  /** That the container has a default route of each family, both by one network, and that it is good for something. */
  async function leadsBy(network: string, container = 'c1'): Promise<void> {
    const { ifname } = await interfaceOn(host, container, network);
    const said = await host.attachment(container, network);
    for (const [family, gateway] of [
      ['-4', said['Gateway']],
      ['-6', said['IPv6Gateway']],
    ] as const) {
      const routes = (await routesIn(host, container, family)).split('\n');
      const ways = routes
        .filter(route => route.startsWith('default'))
        .map(route => route.split(' ').slice(0, 5));
      expect(ways).toEqual([['default', 'via', gateway, 'dev', ifname]]);
    }
    await reaches({ on: host, container }, LAN4);
    await reaches({ on: host, container }, LAN6);
  }

  const madeInside = { engine: undefined, auto: BEYOND, inside: BEYOND } as const;

  describe.each(ATTACHMENTS)('attach=%s', attach => {
    it('are taken over by a network that wins, and given back', async () => {
      const winner = `a-${attach}`;
      await startContainer(host, 'c1', 'mid');
      await leadsBy('mid');
      await connect(winner);
      expect(await madeAs(host, 'c1', winner)).toBe(madeInside[attach]);
      await leadsBy(winner);
      await disconnect(winner);
      await leadsBy('mid');
    });

    it('stay where they are when a network comes and goes that does not win', async () => {
      const loser = `z-${attach}`;
      await startContainer(host, 'c1', 'mid');
      await connect(loser);
      expect(await madeAs(host, 'c1', loser)).toBe(madeInside[attach]);
      await leadsBy('mid');
      const gateway = String((await host.attachment('c1', loser))['Gateway']);
      expect(await answers({ on: host, container: 'c1' }, gateway)).toBe(true);
      await disconnect(loser);
      await leadsBy('mid');
      expect(await inContainer(host, 'c1', 'ip', 'route')).not.toContain(gateway.replace(/1$/, '0'));
    });

    it('go over to it when the first network is left, and are where they belong after a restart', async () => {
      // A starting container joins its networks in no order (Go's maps): had tsnet made the first, the engine's would be eth0 too.
      const loser = attach === 'inside' ? 'z-own' : `z-${attach}`;
      await startContainer(host, 'c1', 'mid');
      await connect(loser);
      await disconnect('mid');
      await leadsBy(loser);
      await connect('mid');
      await leadsBy('mid');
      for (let start = 0; start < 2; start++) {
        await host.docker('restart', '-t', '0', 'c1');
        await leadsBy('mid');
      }
    });

    it('follow the priority of gateways', async context => {
      context.skip(engine === '20.10', 'it has no such option');
      const network = `z-${attach}`;
      await startContainer(host, 'c1', 'mid');
      expect(await connectWith(host, network, 'c1', { GwPriority: 7 })).toMatchObject({ status: 200 });
      await leadsBy(network);
      await connect('a-auto');
      await leadsBy(network);
      await disconnect(network);
      await leadsBy('a-auto');
      await disconnect('a-auto');
      await leadsBy('mid');
    });
  });

  it('come and go where tsnet has made the first interface', async context => {
    context.skip(!atStart, "the first one is always the engine's");
    await startContainer(host, 'c1', 'z-inside');
    expect(await madeAs(host, 'c1', 'z-inside')).toBe('eth0');
    await leadsBy('z-inside');
    await connect('a-vpn');
    expect((await interfaceOn(host, 'c1', 'a-vpn')).ifname).toBe('vpn0');
    await leadsBy('a-vpn');
    await disconnect('a-vpn');
    await leadsBy('z-inside');
    await connect('a-vpn');
    await disconnect('z-inside');
    await leadsBy('a-vpn');
  });

  it('are never by a network without a way out', async () => {
    await startContainer(host, 'c1', 'mid');
    await connect('a-shut');
    expect(await madeAs(host, 'c1', 'a-shut')).toBe(BEYOND);
    await leadsBy('mid');
    await startContainer(host, 'c2', 'a-shut');
    await reaches({ on: host, container: 'c1' }, 'c2');
    await disconnect('mid');
    expect(await routesIn(host, 'c1')).not.toContain('default');
    expect(await answers({ on: host, container: 'c1' }, LAN4)).toBe(false);
    await reaches({ on: host, container: 'c1' }, 'c2');
  });

  it('published ports go with them', async () => {
    const HOST = host.host.address;
    const place = `${HOST}:8080`;
    /** That the port leads to the container's address on a network, and answers. */
    const publishedBy = async (network: string) => {
      const { address4, address6 } = await attached(host, 'c1', network);
      expect(await mapElements(host)).toEqual([
        `publish4 tcp 8080 : ${address4} 80`,
        `publish6 tcp 8080 : ${address6} 80`,
      ]);
      expect(await asks(lab.lan, place, `[${host.host.address6}]:8080`)).toEqual({
        [place]: `c1 ${LAN4}`,
        [`[${host.host.address6}]:8080`]: `c1 ${LAN6}`,
      });
    };
    await startServer(host, 'c1', 'mid', '-p', '8080:80');
    await publishedBy('mid');
    await connect('a-auto');
    expect(await madeAs(host, 'c1', 'a-auto')).toBe(BEYOND);
    await publishedBy('a-auto');
    await disconnect('mid');
    await publishedBy('a-auto');
    await connect('z-inside');
    await publishedBy('a-auto');
    await disconnect('a-auto');
    await publishedBy('z-inside');
    await host.docker('restart', '-t', '0', 'c1');
    await ready(host, 'c1');
    expect(await madeAs(host, 'c1', 'z-inside')).toBe(atStart ? 'eth0' : undefined);
    await publishedBy('z-inside');
    await host.docker('rm', '-f', 'c1');
    await expectUnpublished(host, '0.0.0.0:8080/tcp', '[::]:8080/tcp');
  });
});
