import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EngineApi } from '../lab/api.ts';
import type { Lab } from '../lab/lab.ts';
import { clean, createNetwork, driverOptions, expectNothingLeft } from './support/bridge-lab.ts';
import { daemonOf, engineView, linkIndexes, networkId, startRestored, store } from './support/host-view.ts';
import { answers, ipJson, LAN4, markedRoutes, startContainer } from './support/macvlan-lab.ts';
import { soon } from './support/soon.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

const RANGE = ['--ip-range', '198.18.0.192/27'];
const MANY = 20;
const FEW = 6;
const ROUNDS = 10;
const SUBNET = '198.18.9.0/24';
const BRIDGE = 'webbr';
/** What the driver answers to all that has nothing to tell. */
const DONE = { status: 200, body: {} };

/* tsnet answers before the kernel has finished with the links it deletes: they are gone within two seconds. */
describe.each(ENGINES)('links deleted in the background, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
  });
  afterEach(() => clean(host));
  afterAll(() => lab?.destroy());

  const createLan = () => createNetwork(host, 'lan', ...LAN4, ...RANGE, ...driverOptions({ parent: 'eth0' }));
  const numbered = (count: number) => Array.from({ length: count }, (_, at) => `c${at}`);

  /** Everything of the host that a container or network could leave behind, what bears no mark included. */
  const everything = async () => ({
    links: (await ipJson(host.host, 'link')).map(link => String(link['ifname'])).sort(),
    routes: (await markedRoutes(host)).sort(),
  });

  /** The daemon's socket, from this process: what is to follow an answer follows it without a detour. */
  const openDaemon = () => new EngineApi(`/proc/${host.host.pid}/root/run/docker/plugins/tsnet.sock`);

  /**
   * Asks the daemon for deletions, all at once, kills it as soon as it has answered the last, and starts it anew.
   * @param method of the driver
   */
  async function killAfter(method: string, bodies: readonly object[]): Promise<void> {
    const before = await ipJson(host.host, 'link');
    const pid = daemonOf(host);
    const daemon = openDaemon();
    const said = await Promise.all(bodies.map(body => daemon.call('POST', `/NetworkDriver.${method}`, body)));
    process.kill(pid, 'SIGKILL');
    daemon.close();
    expect(said).toEqual(bodies.map(() => DONE));
    await host.stop('KILL');
    // The kernel finishes what it has begun. What a slower one would not have begun is put back for the next start to find.
    const now = new Set((await ipJson(host.host, 'link')).map(link => link['ifname']));
    for (const { ifname, ifalias } of before.filter(link => !now.has(link['ifname']))) {
      const kind = String(ifname).startsWith('tsv') ? 'veth' : 'bridge';
      await host.host.sh(`ip link add ${ifname} type ${kind}; ip link set ${ifname} alias ${ifalias} up`);
    }
    expect(await host.links()).toHaveLength(before.filter(link => link['ifalias']).length);
    await startRestored(host);
  }

  it('go after a running container is disconnected', async () => {
    await createNetwork(host, 'web', '--subnet', SUBNET);
    await createLan();
    await startContainer(host, 'c1', 'bridge');
    const before = await everything();
    for (const network of ['web', 'lan']) {
      await host.docker('network', 'connect', network, 'c1');
      expect(await everything(), network).not.toEqual(before);
      await host.docker('network', 'disconnect', network, 'c1');
      await soon(async () => expect(await everything(), network).toEqual(before));
    }
  });

  it('go after many containers are removed at once', async () => {
    await createNetwork(host, 'web', '--subnet', SUBNET);
    const before = await everything();
    const names = numbered(MANY);
    await Promise.all(names.map(name => startContainer(host, name, 'web')));
    expect(await host.links()).toHaveLength(MANY + 1);
    await host.docker('rm', '-f', ...names);
    await soon(async () => expect(await everything()).toEqual(before));
    expect((await store(host)).endpoints).toEqual([]);
  });

  it('go after networks are removed', async () => {
    const before = await everything();
    await createNetwork(host, 'web', '--subnet', SUBNET);
    await createNetwork(host, 'apart', '--subnet', '198.19.5.0/24', ...driverOptions({ mode: 'macvlan' }));
    await createLan();
    expect((await host.links()).map(link => link.slice(0, 3)).sort()).toEqual(['tsb', 'tsd', 'tss']);
    await host.docker('network', 'rm', 'web', 'apart', 'lan');
    await soon(async () => expect(await everything()).toEqual(before));
    await expectNothingLeft(host);
  });

  it('leave their name to a network that is created at once', async () => {
    const create = async (name: string) => {
      const { status, body } = await host.host.api('POST', '/v1.41/networks/create', {
        Name: name,
        Driver: 'tsnet',
        Options: { 'com.docker.network.bridge.name': BRIDGE },
        IPAM: { Config: [{ Subnet: SUBNET }] },
      });
      expect(body).toHaveProperty('Id');
      expect(status).toBe(201);
    };
    const indexes = new Set<number | undefined>();
    await create('web');
    for (let round = 0; round < ROUNDS; round++) {
      indexes.add((await linkIndexes(host))[BRIDGE]);
      expect((await host.host.api('DELETE', '/v1.41/networks/web')).status).toBe(204);
      await create('web');
    }
    const last = await linkIndexes(host);
    expect(Object.keys(last)).toEqual([BRIDGE]);
    // each had a bridge of its own
    expect(indexes.add(last[BRIDGE]).size).toBe(ROUNDS + 1);
    const { address4 } = await startContainer(host, 'c1', 'web');
    expect(await answers(host.host, address4)).toBe(true);
    expect(await answers({ on: host, container: 'c1' }, '198.18.0.1')).toBe(true);
    expect(await linkIndexes(host)).toMatchObject(last);
  });

  it('leave their names to many networks that are created at once', async () => {
    // more than are deleted at a time, by the daemon alone: an engine has fewer in hand
    const networks = Array.from({ length: 40 }, (_, at) => ({
      NetworkID: String(at).padStart(64, '0'),
      Options: { 'com.docker.network.generic': { 'com.docker.network.bridge.name': `${BRIDGE}${at}` } },
      IPv4Data: [{ Pool: `198.18.${at}.0/24`, Gateway: `198.18.${at}.1/24` }],
      IPv6Data: [],
    }));
    const daemon = openDaemon();
    const all = (...methods: string[]) =>
      Promise.all(
        networks.map(async body => {
          for (const method of methods) {
            expect(await daemon.call('POST', `/NetworkDriver.${method}`, body)).toEqual(DONE);
          }
        }),
      );
    await all('CreateNetwork');
    const before = await linkIndexes(host);
    await all('DeleteNetwork', 'CreateNetwork');
    const after = await linkIndexes(host);
    expect(Object.keys(after)).toEqual(Object.keys(before));
    expect(Object.keys(after)).toHaveLength(networks.length);
    expect(Object.keys(after).filter(name => after[name] === before[name])).toEqual([]);
    await all('DeleteNetwork');
    daemon.close();
    await expectNothingLeft(host);
  });

  it('of containers go with the next start where tsnet is killed as soon as it has answered', async () => {
    await createNetwork(host, 'web', '--subnet', SUBNET);
    const before = await everything();
    await Promise.all(numbered(FEW).map(name => startContainer(host, name, 'web')));
    const NetworkID = await networkId(host, 'web');
    const { endpoints } = await engineView(host);
    expect(endpoints).toHaveLength(FEW);
    await killAfter(
      'DeleteEndpoint',
      endpoints.map(EndpointID => ({ NetworkID, EndpointID })),
    );
    await soon(async () => expect(await everything()).toEqual(before));
    expect((await store(host)).endpoints).toEqual([]);
    expect(await host.docker('exec', 'c0', 'ls', '/sys/class/net')).toBe('lo');
  });

  it.each(['Leave', 'DeleteEndpoint'])(
    'inside running containers go with the next start where tsnet is killed as soon as it has answered %s',
    async method => {
      await createLan();
      const names = numbered(FEW);
      await Promise.all(names.map(name => startContainer(host, name, 'bridge')));
      const inside = () => Promise.all(names.map(name => host.docker('exec', name, 'ls', '/sys/class/net')));
      const before = { host: await everything(), inside: await inside() };
      for (const name of names) await host.docker('network', 'connect', 'lan', name);
      expect(await inside()).not.toEqual(before.inside);
      const NetworkID = await networkId(host, 'lan');
      const { endpoints } = await engineView(host);
      expect(endpoints).toHaveLength(FEW);
      await killAfter(
        method,
        endpoints.map(EndpointID => ({ NetworkID, EndpointID })),
      );
      await soon(async () => expect({ host: await everything(), inside: await inside() }).toEqual(before));
      expect((await store(host)).endpoints).toEqual([]);
    },
  );

  it('of networks go with the next start where tsnet is killed as soon as it has answered', async () => {
    const before = await everything();
    for (const name of numbered(FEW)) await createNetwork(host, `${name}-net`);
    const { networks } = await engineView(host);
    expect(networks).toHaveLength(FEW);
    await killAfter(
      'DeleteNetwork',
      networks.map(NetworkID => ({ NetworkID })),
    );
    await soon(async () => expect(await everything()).toEqual(before));
    await expectNothingLeft(host);
  });
});
