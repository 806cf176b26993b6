import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clean, createNetwork } from '../engine/support/bridge-lab.ts';
import { startRestored, store } from '../engine/support/host-view.ts';
import { answers, startContainer } from '../engine/support/macvlan-lab.ts';
import { unansweredDuring } from '../engine/support/ping-series.ts';
import { asks, inside, published, ready, startServer } from '../engine/support/publish-lab.ts';
import { TsnetHost } from '../engine/support/tsnet-host.ts';
import { engines, type Generation } from '../lab/engines.ts';
import { Lab } from '../lab/lab.ts';
import { waitFor } from '../lab/wait.ts';

const GENERATIONS = (await engines()).map(({ generation }) => generation as Generation);
const WEB4 = ['--subnet', '198.18.50.0/24', '--gateway', '198.18.50.1'];
const WEB6 = ['--ipv6', '--subnet', '2001:db8:50::/64', '--gateway', '2001:db8:50::1'];
const LAN4 = ['--subnet', '198.18.0.0/24', '--gateway', '198.18.0.1'];
const LAN6 = ['--ipv6', '--subnet', 'fd99::/64', '--gateway', 'fd99::1'];
const ROUTER = { v4: '198.18.0.1', v6: 'fd99::1' };
const ALWAYS = ['--restart', 'always'];

it('the engines of three generations are here', () => {
  expect(GENERATIONS.slice(0, 2)).toEqual(['20.10', '26']);
});

/** One host with each engine, all on one LAN. */
describe('tsnet keeps its promises', () => {
  let lab: Lab;
  const hosts = new Map<string, TsnetHost>();
  const hostOf = (generation: string): TsnetHost => {
    const host = hosts.get(generation);
    if (host === undefined) throw new Error(`no host with engine ${generation}`);
    return host;
  };
  /** Addresses of a host's container on the LAN; everyone has others. */
  const onLan = (generation: string) => {
    const number = 200 + GENERATIONS.indexOf(generation as Generation);
    return { v4: `198.18.0.${number}`, v6: `fd99::${number}` };
  };

  beforeAll(async () => {
    lab = await Lab.create({ hosts: GENERATIONS.map(engine => ({ engine })) });
    await Promise.all(
      lab.hosts.map(async host => {
        const tsnet = new TsnetHost(host);
        await Promise.all([tsnet.start(), host.loadImage()]);
        hosts.set(host.engine.generation, tsnet);
        await createNetwork(tsnet, 'web', '--ipam-driver', 'tsnet', ...WEB4, ...WEB6);
        await createNetwork(tsnet, 'lan', ...LAN4, ...LAN6, '-o', 'parent=eth0');
        const { v4, v6 } = onLan(host.engine.generation);
        const fixed = ['--ip', '198.18.50.10', '--ip6', '2001:db8:50::10'];
        const ports = ['-p', '8080:80', '-p', '8080:80/udp'];
        await startServer(tsnet, 'server', 'web', ...fixed, ...ports, ...ALWAYS);
        await startContainer(tsnet, 'neighbour', 'lan', '--ip', v4, '--ip6', v6, ...ALWAYS);
        await startContainer(tsnet, 'client', 'web', ...ALWAYS);
      }),
    );
  });
  afterAll(() => lab?.destroy());

  /** Everything that holds at any time, whatever has been restarted. */
  async function expectPromises(generation: string): Promise<void> {
    const host = hostOf(generation);
    const { address, address6 } = host.host;
    const lan = onLan(generation);
    await waitFor(async () => (await host.docker('ps', '-q')).split('\n').length === 3, {
      what: 'all three containers to run',
    });
    await ready(host, 'server');
    const client = inside(host, 'client');
    const neighbour = inside(host, 'neighbour');
    const [fromLan, fromHost, pings] = await Promise.all([
      asks(lab.lan, `${address}:8080`, `${address}:8080/udp`, `[${address6}]:8080`),
      asks(host.host, '127.0.0.1:8080', '[::1]:8080', '198.18.50.10:80', '[2001:db8:50::10]:80'),
      Promise.all([
        ...['server', '198.18.50.1', '2001:db8:50::1', ROUTER.v4, ROUTER.v6].map(place =>
          answers(client, place),
        ),
        ...[lan.v4, lan.v6].flatMap(place => [answers(lab.lan, place), answers(host.host, place)]),
        ...[address, address6, ROUTER.v4, ROUTER.v6].map(place => answers(neighbour, place)),
      ]),
    ]);
    expect(fromLan).toEqual({
      [`${address}:8080`]: `server ${ROUTER.v4}`,
      [`${address}:8080/udp`]: `server ${ROUTER.v4}`,
      [`[${address6}]:8080`]: `server ${ROUTER.v6}`,
    });
    expect(fromHost).toEqual({
      '127.0.0.1:8080': 'server 198.18.50.1',
      '[::1]:8080': 'server 2001:db8:50::1',
      '198.18.50.10:80': 'server 198.18.50.1',
      '[2001:db8:50::10]:80': 'server 2001:db8:50::1',
    });
    expect(pings).toEqual(pings.map(() => true));
    expect(await host.attachment('server', 'web')).toMatchObject({
      IPAddress: '198.18.50.10',
      GlobalIPv6Address: '2001:db8:50::10',
      MacAddress: '02:42:c6:12:32:0a',
      Gateway: '198.18.50.1',
    });
    expect(await host.attachment('neighbour', 'lan')).toMatchObject({
      IPAddress: lan.v4,
      GlobalIPv6Address: lan.v6,
    });
    // One that nobody has asked for may be another each time.
    const { IPAddress } = await host.attachment('client', 'web');
    expect(IPAddress).toMatch(/^198\.18\.50\.\d+$/);
  }

  describe.each(GENERATIONS)('engine %s', generation => {
    it('is the one that answers', async () => {
      const version = await hostOf(generation).docker('version', '-f', '{{.Server.Version}}');
      expect(version).toBe(hostOf(generation).host.engine.version);
      expect(version.startsWith(generation)).toBe(true);
    });

    it('bridge and LAN, both families, published ports, names, addresses', () => expectPromises(generation));

    it('refuses a taken address and a taken port, and nothing stays of either', async () => {
      const host = hostOf(generation);
      const before = await store(host);
      const run = ['run', '-d', '--name', 'second', '--network', 'web'];
      expect(await host.refused(...run, '--ip', '198.18.50.10', 'busybox')).toContain('ADDRESS_TAKEN');
      await host.docker('rm', 'second');
      expect(await host.refused(...run, '-p', '8080:80', 'busybox')).toContain('PORT_TAKEN');
      await host.docker('rm', 'second');
      expect(await store(host)).toEqual(before);
    });

    it('connects and disconnects a running container, and its way out takes the published port along', async () => {
      const host = hostOf(generation);
      // its name is before `web`: the engine makes it the way out
      await createNetwork(host, 'app', '--ipam-driver', 'tsnet', '--subnet', '198.18.51.0/24');
      await host.docker('network', 'connect', '--ip', '198.18.51.10', 'app', 'server');
      expect(await host.attachment('server', 'app')).toMatchObject({ IPAddress: '198.18.51.10' });
      expect(await answers(inside(host, 'server'), '198.18.51.1')).toBe(true);
      const place = `${host.host.address}:8080`;
      expect((await published(host, 'server')).filter(row => row.includes('0.0.0.0:'))).toHaveLength(2);
      expect(await asks(lab.lan, place)).toEqual({ [place]: `server ${ROUTER.v4}` });
      await host.docker('network', 'disconnect', 'app', 'server');
      await host.docker('network', 'rm', 'app');
      await expectPromises(generation);
    });

    /** Runs what no container is to notice. */
    async function unnoticed(action: (host: TsnetHost) => Promise<void>): Promise<void> {
      const host = hostOf(generation);
      const unanswered = await unansweredDuring(
        { lan: [lab.lan, onLan(generation).v4], bridge: [host.host, '198.18.50.10'] },
        () => action(host),
      );
      expect(unanswered).toEqual({ lan: [], bridge: [] });
      await expectPromises(generation);
    }

    it('tsnet is killed and starts again: nobody notices', () =>
      unnoticed(async host => {
        await host.stop('KILL');
        await startRestored(host);
      }));

    it('the engine stops and starts: all containers come back', async () => {
      const { host } = hostOf(generation);
      await host.stopEngine('TERM');
      await host.startEngine(['--live-restore']);
      await expectPromises(generation);
    });

    it('the engine is killed and starts, with live-restore: nobody notices', () =>
      unnoticed(async ({ host }) => {
        await host.stopEngine('KILL');
        await host.startEngine(['--live-restore']);
      }));

    it('the engine is killed and starts, without: all containers come back', async () => {
      const { host } = hostOf(generation);
      await host.stopEngine('KILL');
      await host.startEngine();
      await expectPromises(generation);
    });
  });

  it('their containers meet on the LAN', async () => {
    const meetings = GENERATIONS.flatMap(from =>
      GENERATIONS.filter(to => to !== from).map(async to => {
        const { v4, v6 } = onLan(to);
        const guest = inside(hostOf(from), 'neighbour');
        expect([await answers(guest, v4), await answers(guest, v6)], `${from} to ${to}`).toEqual([
          true,
          true,
        ]);
      }),
    );
    await Promise.all(meetings);
  });

  it.each(GENERATIONS)(
    'nothing is left when all is removed from engine %s, and the log has no complaint',
    async generation => {
      const host = hostOf(generation);
      await clean(host);
      const { pools, leases } = await store(host);
      expect([pools, leases]).toEqual([[], []]);
      expect(host.log().match(/^\S+ ERROR .*$/gm) ?? []).toEqual([]);
    },
  );
});
