import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Child } from '../lab/child.ts';
import type { Lab } from '../lab/lab.ts';
import type { LabNode } from '../lab/node.ts';
import { waitFor } from '../lab/wait.ts';
import {
  answers,
  inContainer,
  ipJson,
  LAN4,
  LAN6,
  macOf,
  markedRoutes,
  neighbourOf,
  otherEngine,
  permanentNeighbours,
  reaches,
  shims,
  startContainer,
  theShim,
  wipe,
} from './support/macvlan-lab.ts';
import { soon } from './support/soon.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

const DUAL = [
  ...LAN4,
  '--ip-range',
  '198.18.0.192/27',
  ...LAN6,
  '--ip-range',
  'fd99::a:0/112',
  '-o',
  'parent=eth0',
];

describe.each(ENGINES)('the host shim, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;
  let peer: TsnetHost;

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }, { engine: otherEngine(engine) }] });
    lab = made.lab;
    [host, peer] = made.hosts as [TsnetHost, TsnetHost];
  });
  afterEach(async () => {
    await Promise.all([wipe(host), wipe(peer)]);
  });
  afterAll(() => lab?.destroy());

  const create = (name: string, ...options: string[]) =>
    host.docker('network', 'create', '-d', 'tsnet', ...options, name);
  const inside = (container: string) => ({ on: host, container });

  it('lets host and container reach each other without an address of its own', async () => {
    await create('lan', ...DUAL);
    const shim = await theShim(host);
    const c1 = await startContainer(host, 'c1', 'lan');
    for (const address of [c1.address4, c1.address6]) {
      await reaches(host.host, address);
      const [route] = await ipJson(host.host, 'route', 'get', address);
      expect(route).toMatchObject({ dev: shim });
      expect([host.host.address, host.host.address6]).toContain(route?.['prefsrc']);
    }
    await reaches(inside('c1'), host.host.address);
    await reaches(inside('c1'), host.host.address6);
    // Found the other way round as well: the container asks first, with nothing known of each other.
    const c2 = await startContainer(host, 'c2', 'lan');
    await reaches(inside('c2'), host.host.address);
    await reaches(inside('c2'), host.host.address6);
    await reaches(host.host, c2.address6);

    const [link] = await ipJson(host.host, '-d', 'addr', 'show', 'dev', shim);
    expect(link).toMatchObject({ addr_info: [], link: 'eth0', flags: expect.arrayContaining(['UP']) });
    expect(await inContainer(host, 'c1', 'ip', 'neigh', 'show', host.host.address)).toContain(
      await macOf(host.host, shim),
    );
  });

  it('has a route and a permanent neighbour for each container, as long as it runs', async () => {
    await create('lan', ...DUAL);
    const shim = await theShim(host);
    const c1 = await startContainer(host, 'c1', 'lan');
    const c2 = await startContainer(host, 'c2', 'lan');
    const all = [c1, c2].flatMap(c => [c.address4, c.address6]).sort();
    expect((await markedRoutes(host)).sort()).toEqual(all);
    expect((await permanentNeighbours(host, shim)).sort()).toEqual(all);
    expect(await neighbourOf(host.host, c1.address4)).toBe(c1.mac);

    await host.docker('stop', '-t', '0', 'c1');
    expect((await markedRoutes(host)).sort()).toEqual([c2.address4, c2.address6].sort());
    expect((await permanentNeighbours(host, shim)).sort()).toEqual([c2.address4, c2.address6].sort());
    expect(await answers(host.host, c2.address4)).toBe(true);
    await host.docker('start', 'c1');
    await reaches(host.host, c1.address4);
    await host.docker('rm', '-f', 'c1', 'c2');
    expect(await markedRoutes(host)).toEqual([]);
    expect(await permanentNeighbours(host, shim)).toEqual([]);
  });

  it('carries the address that is set aside for the host', async () => {
    await create('lan', ...DUAL, '--aux-address', 'host=198.18.0.223', '--aux-address', 'host6=fd99::a:ffff');
    const shim = await theShim(host);
    const c1 = await startContainer(host, 'c1', 'lan');
    const [link] = await ipJson(host.host, 'addr', 'show', 'dev', shim);
    expect(link?.['addr_info']).toMatchObject([
      { local: '198.18.0.223', prefixlen: 32 },
      { local: 'fd99::a:ffff', prefixlen: 128 },
    ]);
    for (const [address, source] of [
      [c1.address4, '198.18.0.223'],
      [c1.address6, 'fd99::a:ffff'],
    ] as const) {
      await reaches(host.host, address);
      expect((await ipJson(host.host, 'route', 'get', address))[0]).toMatchObject({
        dev: shim,
        prefsrc: source,
      });
      await reaches(inside('c1'), source);
    }
    // The host's own addresses are as before, for containers and for the LAN.
    await reaches(inside('c1'), host.host.address);
    await reaches(inside('c1'), host.host.address6);
    await reaches(lab.lan, host.host.address);
    await reaches(lab.lan, '198.18.0.223');
    expect(await neighbourOf(lab.lan, host.host.address)).toBe(await macOf(host.host, 'eth0'));
    expect(await neighbourOf(lab.lan, '198.18.0.223')).toBe(await macOf(host.host, 'eth0'));
  });

  it('is not made with shim=off: the host cannot reach containers, the LAN can', async () => {
    await create('lan', ...DUAL, '-o', 'shim=off');
    const c1 = await startContainer(host, 'c1', 'lan');
    await reaches(lab.lan, c1.address4);
    await reaches(lab.lan, c1.address6);
    expect(await shims(host)).toEqual([]);
    expect(await markedRoutes(host)).toEqual([]);
    expect(await answers(host.host, c1.address4)).toBe(false);
    expect(await answers(inside('c1'), host.host.address)).toBe(false);
    expect(await answers(host.host, c1.address6)).toBe(false);
  });

  it('is one for all networks of a parent and goes with the last', async () => {
    const parent = ['-o', 'parent=eth0'];
    // Each with an address for the host in its own subnet: from another one the container would answer by its gateway.
    await create('one', '--subnet', '198.19.1.0/24', '--aux-address', 'host=198.19.1.200', ...parent);
    const shim = await theShim(host);
    const [before] = await ipJson(host.host, 'link', 'show', 'dev', shim);
    const ups = async () => (await host.host.sh(`cat /sys/class/net/${shim}/carrier_changes`)).stdout;
    const upsBefore = await ups();
    await create('two', '--subnet', '198.19.2.0/24', '--aux-address', 'host=198.19.2.200', ...parent);
    await create('three', ...LAN4, ...parent);
    await create('four', '--subnet', '198.19.3.0/24', ...parent, '-o', 'shim=off');
    expect(await theShim(host)).toBe(shim);
    // Down for a moment only, it would lose the routes of the containers.
    expect(await ups()).toBe(upsBefore);
    const c1 = await startContainer(host, 'c1', 'one');
    const c2 = await startContainer(host, 'c2', 'two');
    await reaches(host.host, c1.address4);
    await reaches(host.host, c2.address4);
    await host.docker('network', 'rm', 'three');
    await host.docker('rm', '-f', 'c1');
    await host.docker('network', 'rm', 'one');
    expect((await ipJson(host.host, 'link', 'show', 'dev', shim))[0]?.['ifindex']).toBe(before?.['ifindex']);
    expect(await answers(host.host, c2.address4)).toBe(true);
    await host.docker('rm', '-f', 'c2');
    await host.docker('network', 'rm', 'two');
    // What is left wants none.
    await soon(async () => expect(await shims(host)).toEqual([]));
  });

  it('has the same MAC whenever it is made anew', async () => {
    await create('lan', ...DUAL);
    const before = await macOf(host.host, await theShim(host));
    await host.docker('network', 'rm', 'lan');
    await create('lan', ...DUAL);
    expect(await macOf(host.host, await theShim(host))).toBe(before);
    expect(before).not.toBe(await macOf(host.host, 'eth0'));
  });

  it("warns of a subnet that is not the parent's, and serves it from an address of its own", async () => {
    await create(
      'lan',
      '--subnet',
      '198.19.4.0/24',
      '--aux-address',
      'host=198.19.4.200',
      '-o',
      'parent=eth0',
    );
    const c1 = await startContainer(host, 'c1', 'lan');
    await reaches(host.host, c1.address4);
    await reaches(inside('c1'), '198.19.4.200');
    expect(host.log()).toContain('no subnet of 198.19.4.0/24 is one of parent eth0 (198.18.0.11/24)');
  });

  it('leaves a link and a route of somebody else on the same parent alone', async () => {
    await host.host.sh(`ip link add mine link eth0 type macvlan mode bridge
      ip link set mine addrgenmode none; ip addr add 198.18.0.77/32 dev mine; ip link set mine up
      ip route add 198.18.0.240/32 dev mine; ip neigh add 198.18.0.240 lladdr 02:00:5e:00:00:01 dev mine`);
    const foreign = async () =>
      [
        await ipJson(host.host, '-d', 'addr', 'show', 'dev', 'mine'),
        await ipJson(host.host, 'route', 'show', 'dev', 'mine'),
        await ipJson(host.host, 'neigh', 'show', 'dev', 'mine', 'nud', 'permanent'),
      ].map(rows => JSON.stringify(rows));
    try {
      const before = await foreign();
      await create('lan', ...DUAL);
      const c1 = await startContainer(host, 'c1', 'lan');
      const shim = await theShim(host);
      // A route on the shim itself, too: it bears no protocol number of tsnet's.
      await host.host.exec('ip', ['route', 'add', '198.18.0.241/32', 'dev', shim]);
      await host.restart();
      await reaches(host.host, c1.address4);
      expect(await foreign()).toEqual(before);
      expect(await ipJson(host.host, 'route', 'show', '198.18.0.241')).toHaveLength(1);
      await wipe(host);
      expect(await foreign()).toEqual(before);
    } finally {
      await host.host.exec('ip', ['link', 'del', 'mine']);
    }
  });

  describe('and its neighbours on the LAN', () => {
    /** Records every neighbour entry that a node learns or changes, from when this returns. */
    async function watchNeighbours(node: LabNode): Promise<{ end: () => Promise<string> }> {
      const link = node === lab.lan ? 'br0' : 'eth0';
      const child: Child = await node.spawn('ip', ['monitor', 'neigh']);
      const sign = async (text: string) => {
        await node.exec('ip', ['neigh', 'replace', text, 'lladdr', '02:00:5e:00:00:02', 'dev', link]);
        await node.exec('ip', ['neigh', 'del', text, 'dev', link]);
        return child.output().includes(`${text} `);
      };
      const say = (text: string) => waitFor(() => sign(text), { what: `ip monitor on ${node.name}` });
      await say('192.0.2.1');
      return {
        end: async () => {
          await say('192.0.2.2');
          await child.stop();
          return child.output();
        },
      };
    }

    it.each([
      ['unnumbered', []],
      ['numbered', ['--aux-address', 'host=198.18.0.223', '--aux-address', 'host6=fd99::a:ffff']],
    ])("never learn a shim's MAC for the host's addresses: %s", async (_kind, aux) => {
      await create('lan', ...DUAL, ...aux);
      const shim = await theShim(host);
      const shimMac = await macOf(host.host, shim);
      const parentMac = await macOf(host.host, 'eth0');
      const c1 = await startContainer(host, 'c1', 'lan');
      const c2 = await startContainer(host, 'c2', 'lan');
      const own = [host.host.address, host.host.address6];
      const flush = (node: LabNode) =>
        node.sh('ip neigh flush all; ip -6 neigh flush all', { reject: false });
      const peers = [lab.lan, peer.host];

      for (const node of [...peers, host.host]) await flush(node);
      const watches = await Promise.all(peers.map(watchNeighbours));
      const capture = await lab.lan.spawn('tcpdump', [
        '-l',
        '-nn',
        '-e',
        '-i',
        'br0',
        `arp and ether src ${shimMac}`,
      ]);
      await capture.waitForOutput('listening on');

      const talk = async () => {
        // Host and containers to each other, and the LAN to the host, which then asks back.
        await Promise.all([
          ...[c2.address4, c2.address6].map(address => reaches(host.host, address)),
          ...own.map(address => reaches(inside('c2'), address)),
          ...own.flatMap(address => peers.map(node => reaches(node, address))),
        ]);
        await Promise.all(['198.18.0.1', 'fd99::1', peer.host.address].map(a => reaches(host.host, a)));
      };
      const check = async () => {
        for (const node of peers) {
          for (const address of own) {
            expect(await neighbourOf(node, address), `${address} on ${node.name}`).toBe(parentMac);
          }
        }
      };
      await talk();
      await reaches(host.host, c1.address4);
      await check();

      // A container whose link is down answers nothing, and the host goes on asking for it.
      for (const node of peers) await flush(node);
      await inContainer(host, 'c1', 'ip', 'link', 'set', 'eth0', 'down');
      expect(await answers(host.host, c1.address4)).toBe(false);
      expect(await answers(host.host, c1.address6)).toBe(false);
      await talk();
      await check();

      // One that is gone is asked for on the LAN, by the parent and with the parent's MAC.
      for (const node of peers) await flush(node);
      await host.docker('rm', '-f', 'c1');
      expect(await answers(host.host, c1.address4)).toBe(false);
      expect(await answers(host.host, c1.address6)).toBe(false);
      await talk();
      await check();

      const seen = await Promise.all(watches.map(watch => watch.end()));
      await capture.stop();
      for (const text of seen) {
        const ofHost = text.split('\n').filter(line => own.some(address => line.startsWith(`${address} `)));
        expect(ofHost.filter(line => line.includes(parentMac)).length).toBeGreaterThan(0);
        expect(ofHost.filter(line => line.includes(shimMac))).toEqual([]);
      }
      expect(capture.output()).not.toContain(`${shimMac} > `);
    });

    it('hear no request of the shim, also while the host talks to containers that come and go', async () => {
      await create('lan', ...DUAL);
      const shimMac = await macOf(host.host, await theShim(host));
      const filter = `ether src ${shimMac} and (arp or (icmp6 and ip6[40] == 135))`;
      const capture = await lab.lan.spawn('tcpdump', ['-l', '-nn', '-e', '-i', 'br0', filter]);
      await capture.waitForOutput('listening on');
      const ip = ['--ip', '198.18.0.193', '--ip6', 'fd99::a:193'];
      // Packets without a pause: whenever there is a route without its neighbour, one of them asks for it.
      const talk = await Promise.all(
        ['198.18.0.193', 'fd99::a:193'].map(address =>
          host.host.spawn('bash', ['-c', `while :; do echo x > /dev/udp/${address}/9; done 2> /dev/null`]),
        ),
      );
      for (let i = 0; i < 5; i++) {
        await startContainer(host, 'c1', 'lan', ...ip);
        await host.docker('rm', '-f', 'c1');
      }
      await Promise.all(talk.map(child => child.stop('SIGKILL')));
      await capture.stop();
      expect(
        capture
          .output()
          .split('\n')
          .filter(line => line.includes(`${shimMac} > `)),
      ).toEqual([]);
    });
  });
});
