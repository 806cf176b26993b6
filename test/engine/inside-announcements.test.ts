import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../lab/lab.ts';
import { waitFor } from '../lab/wait.ts';
import { clean, createNetwork, driverOptions } from './support/bridge-lab.ts';
import { BEYOND, madeAs, startOnBase } from './support/inside-lab.ts';
import { attached, inContainer, neighbourOf, reaches, startContainer } from './support/macvlan-lab.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

const V4 = ['--subnet', '198.18.9.0/24'];
const V6 = ['--ipv6', '--subnet', '2001:db8:9::/64'];

/** Gratuitous ARP and unsolicited neighbour advertisements of interfaces that tsnet has made inside. */
describe.each(ENGINES)('announcements, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;

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
  async function withNetwork(options: readonly string[], task: () => Promise<void>): Promise<void> {
    await createNetwork(host, 'net', ...options);
    try {
      await task();
    } finally {
      await host.host.docker('network', 'disconnect', '-f', 'net', 'c1');
      await host.host.discard('peer');
      await host.docker('network', 'rm', 'net');
    }
  }

  const STALE = '02:00:5e:00:00:99';
  const announced = (nmsgs: string, ms = '100') =>
    driverOptions({
      'com.docker.network.advertise_addr_nmsgs': nmsgs,
      'com.docker.network.advertise_addr_ms': ms,
    });

  /** What a neighbour hears of who has 198.18.9.7 and 2001:db8:9::7, while a task runs. */
  async function heard(task: (count: () => { arp: number; na: number }) => Promise<void>): Promise<void> {
    const pid = await host.docker('inspect', '-f', '{{.State.Pid}}', 'peer');
    const dump = ['-n', 'tcpdump', '-l', '-n', '-i', 'eth0', 'arp or icmp6'];
    const child = await host.host.spawn('nsenter', ['-t', pid, ...dump]);
    try {
      await child.waitForOutput('listening on');
      const count = (pattern: RegExp) =>
        child
          .output()
          .split('\n')
          .filter(line => pattern.test(line)).length;
      await task(() => ({
        arp: count(
          /ARP, .*(Announcement 198\.18\.9\.7|who-has 198\.18\.9\.7 .*tell 198\.18\.9\.7|Reply 198\.18\.9\.7 is-at .*)/,
        ),
        na: count(/neighbor advertisement, tgt is 2001:db8:9::7/),
      }));
    } finally {
      await child.stop('SIGKILL');
    }
  }

  const stale = async () => {
    for (const address of ['198.18.9.7', '2001:db8:9::7'])
      await inContainer(
        host,
        'peer',
        'ip',
        'neigh',
        'replace',
        address,
        'lladdr',
        STALE,
        'nud',
        'stale',
        'dev',
        'eth0',
      );
  };
  const cached = async () => {
    const rows = JSON.parse(await inContainer(host, 'peer', 'ip', '-j', 'neigh')) as Record<string, string>[];
    return Object.fromEntries(rows.map(({ dst, lladdr }) => [dst, lladdr]));
  };
  const AT = ['--ip', '198.18.9.7', '--ip6', '2001:db8:9::7'];

  it.each([
    ['three times by default', driverOptions({}), 3],
    ['as often as the network asks for', announced('2'), 2],
  ])('tell neighbours who has an address now, %s', async (_, options, times) => {
    await withNetwork([...V4, ...V6, ...options], async () => {
      await startContainer(host, 'peer', 'net');
      await stale();
      await heard(async counts => {
        await host.docker('network', 'connect', ...AT, 'net', 'c1');
        expect(await madeAs(host, 'c1', 'net')).toBe(BEYOND);
        const { mac } = await attached(host, 'c1', 'net');
        await waitFor(async () => (await cached())['198.18.9.7'] === mac, {
          what: 'the neighbour to learn it',
        });
        await waitFor(async () => (await cached())['2001:db8:9::7'] === mac, { what: 'the same of IPv6' });
        await waitFor(() => counts().arp >= times && counts().na >= times, {
          what: () => `announcements: ${JSON.stringify(counts())}`,
        });
        // a marker after them: who has it is asked, so nothing more of it can be on its way
        await host.docker('network', 'disconnect', 'net', 'c1');
        expect(counts()).toEqual({ arp: times, na: times });
      });
    });
  });

  it('are heard the first time, each time: not before the bridge passes them on', async () => {
    await withNetwork([...V4, ...V6, ...announced('1')], async () => {
      await startContainer(host, 'peer', 'net');
      await heard(async counts => {
        for (let round = 1; round <= 10; round++) {
          await host.docker('network', 'connect', ...AT, 'net', 'c1');
          await waitFor(() => counts().arp >= round && counts().na >= round, {
            what: () => `announcements of connect ${round}: ${JSON.stringify(counts())}`,
          });
          await host.docker('network', 'disconnect', 'net', 'c1');
        }
      });
    });
  });

  it('are not made with a count of 0', async () => {
    await withNetwork([...V4, ...V6, ...announced('0')], async () => {
      await startContainer(host, 'peer', 'net');
      await stale();
      await heard(async counts => {
        await host.docker('network', 'connect', ...AT, 'net', 'c1');
        // the first one is sent before the engine answers; what the container says next is heard after it
        await reaches({ on: host, container: 'c1' }, '198.18.9.1');
        expect(counts()).toEqual({ arp: 0, na: 0 });
      });
      expect(await neighbourOf(host.host, '198.18.9.7')).toBe((await attached(host, 'c1', 'net')).mac);
    });
  });
});
