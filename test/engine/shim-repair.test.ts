import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Lab } from '../lab/lab.ts';
import { waitFor } from '../lab/wait.ts';
import {
  type Attached,
  answers,
  ipJson,
  LAN4,
  LAN6,
  macOf,
  markedRoutes,
  permanentNeighbours,
  reaches,
  startContainer,
  theShim,
  timeUntil,
  wipe,
} from './support/macvlan-lab.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

/** What the page promises, in ms. */
const PROMISE = 500;
const NETWORK = [
  ...LAN4,
  '--ip-range',
  '198.18.0.192/27',
  ...LAN6,
  '--ip-range',
  'fd99::a:0/112',
  '-o',
  'parent=eth0',
];

describe.each(ENGINES)('the host shim mends itself, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;
  let shim: string;
  let c1: Attached;
  let c2: Attached;

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
  });
  beforeEach(async () => {
    await host.docker('network', 'create', '-d', 'tsnet', ...NETWORK, 'lan');
    c1 = await startContainer(host, 'c1', 'lan');
    c2 = await startContainer(host, 'c2', 'lan');
    shim = await theShim(host);
    await bothWays();
  });
  afterEach(() => wipe(host));
  afterAll(() => lab?.destroy());

  async function bothWays(): Promise<void> {
    for (const address of [c1.address4, c1.address6, c2.address4]) await reaches(host.host, address);
    for (const address of [host.host.address, host.host.address6]) {
      await reaches({ on: host, container: 'c1' }, address);
    }
    const all = [c1, c2].flatMap(c => [c.address4, c.address6]).sort();
    expect((await markedRoutes(host)).sort()).toEqual(all);
    expect((await permanentNeighbours(host, shim)).sort()).toEqual(all);
  }
  /** A condition in shell: the host's way to an address leads into the shim, from a source if one is given. */
  const routed = (address: string, source = '') =>
    `ip route get ${address} 2>&1 | grep -q "dev ${shim} .*${source}"`;
  /** Both families of both containers. */
  const allRouted = () => [c1, c2].flatMap(c => [routed(c.address4), routed(c.address6)]).join(' && ');
  const sysctl = async (path: string) =>
    String((await host.host.exec('cat', [`/proc/sys/net/${path}`])).stdout);

  it('when somebody deletes it', async () => {
    const mac = await macOf(host.host, shim);
    const indexOf = async () => (await ipJson(host.host, 'link', 'show', 'dev', shim))[0]?.['ifindex'];
    const gone = await indexOf();
    expect(await timeUntil(host, `ip link del ${shim}`, allRouted())).toBeLessThan(PROMISE);
    await bothWays();
    expect(await indexOf()).not.toBe(gone);
    // As it was, to the last setting: containers still hold the MAC, the LAN must not learn it.
    expect(await macOf(host.host, shim)).toBe(mac);
    expect(await sysctl(`ipv4/conf/${shim}/arp_filter`)).toBe('1');
    expect(await sysctl(`ipv4/conf/${shim}/rp_filter`)).toBe('0');
    expect(await sysctl(`ipv6/conf/${shim}/proxy_ndp`)).toBe('1');
    expect(await sysctl(`ipv6/conf/${shim}/accept_ra`)).toBe('0');
    expect((await ipJson(host.host, 'addr', 'show', 'dev', shim))[0]?.['addr_info']).toEqual([]);
  });

  it('when somebody deletes it again and again', async () => {
    for (let i = 0; i < 5; i++) {
      expect(await timeUntil(host, `ip link del ${shim}`, allRouted())).toBeLessThan(PROMISE);
    }
    await bothWays();
  });

  it.each([4, 6] as const)('when somebody deletes a route, IPv%i', async family => {
    const address = family === 4 ? c1.address4 : c1.address6;
    const damage = `ip route del ${address} dev ${shim}`;
    expect(await timeUntil(host, damage, routed(address))).toBeLessThan(PROMISE);
    await bothWays();
  });

  it('when somebody flushes all its routes', async () => {
    const damage = `ip route flush dev ${shim}; ip -6 route flush dev ${shim}`;
    expect(await timeUntil(host, damage, allRouted())).toBeLessThan(PROMISE);
    await bothWays();
  });

  it.each([4, 6] as const)('when somebody deletes a neighbour, IPv%i', async family => {
    const address = family === 4 ? c1.address4 : c1.address6;
    const permanent = `ip neigh show ${address} dev ${shim} nud permanent | grep -q ${c1.mac}`;
    expect(await timeUntil(host, `ip neigh del ${address} dev ${shim}`, permanent)).toBeLessThan(PROMISE);
    await bothWays();
  });

  it('of what the kernel tells nobody, together with the next thing it does tell', async () => {
    // Proxy entries and sysctls change without an event.
    const lost = `ip -6 neigh del proxy ${host.host.address6} dev ${shim}
      echo 0 > /proc/sys/net/ipv4/conf/${shim}/arp_filter`;
    await host.host.sh(lost);
    const proxied = `ip -6 neigh show proxy dev ${shim} | grep -q "^${host.host.address6} "`;
    const damage = `ip route del ${c1.address4} dev ${shim}`;
    expect(await timeUntil(host, damage, `${allRouted()} && ${proxied}`)).toBeLessThan(PROMISE);
    expect(await sysctl(`ipv4/conf/${shim}/arp_filter`)).toBe('1');
    await bothWays();
  });

  it('when somebody sets it down', async () => {
    const damage = `ip link set ${shim} down`;
    expect(await timeUntil(host, damage, allRouted())).toBeLessThan(PROMISE);
    await bothWays();
  });

  it('when the parent goes down and up: IPv4 at once, IPv6 with the address, which the kernel took', async () => {
    const flap = 'ip link set eth0 down; ip link set eth0 up';
    const v4 = `${routed(c1.address4)} && ${routed(c2.address4)}`;
    expect(await timeUntil(host, flap, v4)).toBeLessThan(PROMISE);
    await reaches(host.host, c1.address4);
    await reaches({ on: host, container: 'c1' }, host.host.address);
    const again = `ip addr add ${host.host.address6}/64 dev eth0 nodad`;
    expect(await timeUntil(host, again, allRouted())).toBeLessThan(PROMISE);
    await defaultRoutes();
    await bothWays();
  });

  it('when the parent stays down for a while', async () => {
    await host.host.sh('ip link set eth0 down');
    // Seen, and nothing to be done before it is up again.
    await waitFor(() => host.log().includes('link eth0 changed'), {
      what: 'tsnet to see the parent go down',
    });
    const up = `ip link set eth0 up; ip addr add ${host.host.address6}/64 dev eth0 nodad`;
    expect(await timeUntil(host, up, allRouted())).toBeLessThan(PROMISE);
    await defaultRoutes();
    await bothWays();
  });

  it("when the parent's IPv4 address changes: routes get the new source", async () => {
    const change = (from: string, to: string) =>
      `ip addr del ${from}/24 dev eth0; ip addr add ${to}/24 dev eth0`;
    const old = host.host.address;
    const moved = `${routed(c1.address4, 'src 198.18.0.99')} && ${routed(c2.address4, 'src 198.18.0.99')}`;
    expect(await timeUntil(host, change(old, '198.18.0.99'), moved)).toBeLessThan(PROMISE);
    await reaches(host.host, c1.address4);
    await reaches({ on: host, container: 'c1' }, '198.18.0.99');
    const back = `${routed(c1.address4, `src ${old}`)} && ${routed(c2.address4, `src ${old}`)}`;
    expect(await timeUntil(host, change('198.18.0.99', old), back)).toBeLessThan(PROMISE);
    await defaultRoutes();
    await bothWays();
  });

  it("when the parent's IPv6 address changes: routes and proxy entries get the new one", async () => {
    const change = (from: string, to: string) =>
      `ip addr del ${from}/64 dev eth0; ip addr add ${to}/64 dev eth0 nodad`;
    const old = host.host.address6;
    const moved = `${routed(c1.address6, 'src fd99::99')} && ip -6 neigh show proxy | grep -q "^fd99::99 dev ${shim}"`;
    expect(await timeUntil(host, change(old, 'fd99::99'), moved)).toBeLessThan(PROMISE);
    await reaches(host.host, c1.address6);
    await reaches({ on: host, container: 'c1' }, 'fd99::99');
    const proxies = await host.host.sh('ip -6 neigh show proxy');
    expect(proxies.stdout).not.toContain(`${old} `);
    const back = `${routed(c1.address6, `src ${old}`)} && ip -6 neigh show proxy | grep -q "^${old} dev ${shim}"`;
    expect(await timeUntil(host, change('fd99::99', old), back)).toBeLessThan(PROMISE);
    await defaultRoutes();
    await bothWays();
  });

  it("when the parent's IPv6 address comes with duplicate detection: as soon as that is over", async () => {
    const address = host.host.address6;
    const damage = `ip addr del ${address}/64 dev eth0; ip addr add ${address}/64 dev eth0
      while ip -6 addr show dev eth0 tentative | grep -q ' ${address}/'; do :; done`;
    expect(await timeUntil(host, damage, routed(c1.address6, `src ${address}`))).toBeLessThan(PROMISE);
    await defaultRoutes();
    await bothWays();
  });

  it("when the parent's MAC changes, without a container's losing the host", async () => {
    const before = await macOf(host.host, shim);
    const old = await macOf(host.host, 'eth0');
    try {
      await host.host.exec('ip', ['link', 'set', 'eth0', 'address', '02:00:5e:00:53:01']);
      await waitFor(() => host.log().includes('link eth0 changed') || undefined, { what: 'tsnet to see it' });
      // Some repair that comes after it has been made, so what the change leads to has been done as well.
      expect(await timeUntil(host, `ip route del ${c1.address4} dev ${shim}`, allRouted())).toBeLessThan(
        PROMISE,
      );
      // The containers hold the shim's MAC for the host's address, and will for half a minute or more.
      expect(await macOf(host.host, shim)).toBe(before);
      expect(await answers({ on: host, container: 'c1' }, host.host.address)).toBe(true);
      expect(await answers(host.host, c1.address4)).toBe(true);
    } finally {
      await host.host.exec('ip', ['link', 'set', 'eth0', 'address', old]);
    }
  });

  it('when the parent gets a second address that suits the containers no better: nothing changes', async () => {
    const before = await ipJson(host.host, 'route', 'show', 'dev', shim);
    await host.host.exec('ip', ['addr', 'add', '198.19.200.1/24', 'dev', 'eth0']);
    try {
      await bothWays();
      expect(await ipJson(host.host, 'route', 'show', 'dev', shim)).toEqual(before);
    } finally {
      await host.host.exec('ip', ['addr', 'del', '198.19.200.1/24', 'dev', 'eth0']);
    }
  });

  it('when the parent gets its first address long after the containers', async () => {
    await host.docker('rm', '-f', 'c1', 'c2');
    await host.host.sh(
      `ip addr del ${host.host.address}/24 dev eth0; ip addr del ${host.host.address6}/64 dev eth0`,
    );
    c1 = await startContainer(host, 'c1', 'lan');
    c2 = await startContainer(host, 'c2', 'lan');
    expect(host.log()).toContain(`the host has no address on eth0 to reach ${c1.address4} from`);
    expect(await markedRoutes(host)).toEqual([]);
    await reaches(lab.lan, c1.address4);
    const late = `ip addr add ${host.host.address}/24 dev eth0; ip addr add ${host.host.address6}/64 dev eth0 nodad`;
    expect(await timeUntil(host, late, allRouted())).toBeLessThan(PROMISE);
    await defaultRoutes();
    await bothWays();
  });

  it('when all this happened while tsnet was not running', async () => {
    await host.stop('KILL');
    await host.host.sh(`ip link del ${shim}`);
    await host.start();
    await waitFor(async () => (await markedRoutes(host)).length === 4, { what: 'the routes to be restored' });
    await bothWays();
  });

  it('and keeps a numbered one numbered', async () => {
    await wipe(host);
    await host.docker(
      'network',
      'create',
      '-d',
      'tsnet',
      ...NETWORK,
      '--aux-address',
      'host=198.18.0.223',
      'lan',
    );
    c1 = await startContainer(host, 'c1', 'lan');
    const numbered = routed(c1.address4, 'src 198.18.0.223');
    const steps = [
      `ip addr del 198.18.0.223/32 dev ${shim}`,
      `ip link del ${shim}`,
      `ip link set ${shim} down`,
      // Its routes do not hang on the parent's address.
      `ip addr del ${host.host.address}/24 dev eth0; ip addr add ${host.host.address}/24 dev eth0`,
    ];
    for (const damage of steps) {
      expect(await timeUntil(host, damage, numbered), damage).toBeLessThan(PROMISE);
      await reaches(host.host, c1.address4);
      await reaches({ on: host, container: 'c1' }, '198.18.0.223');
    }
    await defaultRoutes();
  });

  /** The kernel drops them with the address or link; they are the administrator's, not tsnet's. */
  const defaultRoutes = () =>
    host.host.sh('ip route replace default via 198.18.0.1; ip -6 route replace default via fd99::1');
});
