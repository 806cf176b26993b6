import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../lab/lab.ts';
import { createNetwork, driverOptions } from './support/bridge-lab.ts';
import {
  BEYOND,
  connectAs,
  connectWith,
  everything,
  inGroups,
  madeAs,
  namesBy,
  namesIn,
  orders,
  seesSandboxAtStart,
} from './support/inside-lab.ts';
import { reaches, startContainer } from './support/macvlan-lab.ts';
import { soon } from './support/soon.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

const IFNAME = 'com.docker.network.endpoint.ifname';
const STARTS = 12;
/** Two networks of tsnet and two of the engine's bridge driver, one of them without a gateway. */
const MIXED = ['t1', 't2', 'plain', 'shut'];

/** What interfaces are called, whoever makes them. */
describe.each(ENGINES)('names of interfaces, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;
  let before: Awaited<ReturnType<typeof everything>>;
  const atStart = seesSandboxAtStart(engine);

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
    const subnet = (number: number) => ['--subnet', `198.18.${number}.0/24`];
    const attach = (value: string) => driverOptions({ attach: value });
    await createNetwork(host, 't1', ...subnet(11));
    await createNetwork(host, 't2', ...subnet(12));
    await createNetwork(host, 't3', ...subnet(13));
    await createNetwork(host, 'e1', ...subnet(14), ...attach('engine'));
    await createNetwork(host, 'e2', ...subnet(15), ...attach('engine'));
    await createNetwork(host, 'i1', ...subnet(16), ...attach('inside'));
    await createNetwork(host, 'i2', ...subnet(17), ...attach('inside'));
    const vpn = driverOptions({ 'com.docker.network.container_iface_prefix': 'vpn' });
    await createNetwork(host, 'v1', ...subnet(18), ...vpn);
    await createNetwork(host, 'v2', ...subnet(19), ...vpn, ...attach('inside'));
    await host.docker('network', 'create', ...subnet(20), 'plain');
    await host.docker('network', 'create', ...subnet(21), '--internal', 'shut');
    before = await everything(host);
  });
  afterEach(async () => {
    const containers = await host.docker('ps', '-aq');
    if (containers !== '') await host.docker('rm', '-f', ...containers.split('\n'));
    await soon(async () => expect(await everything(host)).toEqual(before));
  });
  afterAll(() => lab?.destroy());

  const connect = (network: string, container = 'c1') =>
    host.docker('network', 'connect', network, container);
  const disconnect = (network: string, container = 'c1') =>
    host.docker('network', 'disconnect', network, container);

  it("are the engine's with attach=engine", async () => {
    await startContainer(host, 'c1', 'e1');
    await connect('e2');
    expect(await namesBy(host, 'c1')).toEqual({ e1: 'eth0', e2: 'eth1' });
    expect([await madeAs(host, 'c1', 'e1'), await madeAs(host, 'c1', 'e2')]).toEqual([undefined, undefined]);
  });

  it('are eth0 by the engine and eth100 by tsnet with attach=auto, and free again when they are left', async () => {
    await startContainer(host, 'c1', 't1');
    await connect('t2');
    expect(await namesBy(host, 'c1')).toEqual({ t1: 'eth0', t2: BEYOND });
    expect([await madeAs(host, 'c1', 't1'), await madeAs(host, 'c1', 't2')]).toEqual([undefined, BEYOND]);
    // one of tsnet's own in a container, see choose-inside.ts
    await connect('t3');
    expect(await namesBy(host, 'c1')).toEqual({ t1: 'eth0', t2: BEYOND, t3: 'eth1' });
    await disconnect('t2');
    expect(await namesBy(host, 'c1')).toEqual({ t1: 'eth0', t3: 'eth1' });
    await connect('t2');
    expect(await namesBy(host, 'c1')).toEqual({ t1: 'eth0', t2: BEYOND, t3: 'eth1' });
    await disconnect('t1');
    expect(await namesBy(host, 'c1')).toEqual({ t2: BEYOND, t3: 'eth1' });
  });

  it('are eth0 by tsnet with attach=inside, where it sees the container start', async () => {
    await startContainer(host, 'c1', 'i1');
    expect(await namesBy(host, 'c1')).toEqual({ i1: 'eth0' });
    expect(await madeAs(host, 'c1', 'i1')).toBe(atStart ? 'eth0' : undefined);
    if (atStart) {
      // tsnet makes one at a time, and the engine, which would come to the same name, has to be spared it
      const words = await host.refused('network', 'connect', 'i2', 'c1');
      expect(words).toContain('LINK_TAKEN: the container has an interface eth0, made by tsnet');
      expect(words).toContain('com.docker.network.container_iface_prefix');
      expect(await namesIn(host, 'c1')).toEqual(['eth0']);
      return;
    }
    await connect('i2');
    expect(await namesBy(host, 'c1')).toEqual({ i1: 'eth0', i2: BEYOND });
    await disconnect('i1');
    await connect('i1');
    expect(await namesBy(host, 'c1')).toEqual({ i1: 'eth1', i2: BEYOND });
  });

  it('have the prefix that the network asks for', async () => {
    await startContainer(host, 'c1', 'v1');
    await connect('v2');
    await connect('plain');
    expect(await namesBy(host, 'c1')).toEqual({ v1: 'vpn0', v2: 'vpn100', plain: 'eth0' });
    // a prefix that no network of the engine has makes attach=inside one among others
    await startContainer(host, 'c2', 'v2');
    await connect('plain', 'c2');
    await connect('shut', 'c2');
    expect(await namesBy(host, 'c2')).toEqual({ v2: 'vpn0', plain: 'eth0', shut: 'eth1' });
    expect(await madeAs(host, 'c2', 'v2')).toBe(atStart ? 'vpn0' : undefined);
  });

  it('of attach=inside and of the engine are the same at last, which the engine refuses', async context => {
    context.skip(!atStart, 'it names the first interface itself');
    await startContainer(host, 'c1', 'i1');
    const words = await host.refused('network', 'connect', 'plain', 'c1');
    expect(words).toMatch(/to "eth0": file exists/);
    // what is there goes on
    expect(await namesIn(host, 'c1')).toContain('eth0');
    await reaches({ on: host, container: 'c1' }, '198.18.16.1');
  });

  describe('that the user has chosen for a container', () => {
    it('are honoured in place', async () => {
      await startContainer(host, 'c1', 'plain');
      await connectAs(host, 't1', 'c1', { [IFNAME]: 'uplink' });
      expect(await namesBy(host, 'c1')).toEqual({ plain: 'eth0', t1: 'uplink' });
      await disconnect('t1');
      await connectAs(host, 'i1', 'c1', { [IFNAME]: 'wan7' });
      await connect('shut');
      expect(await namesBy(host, 'c1')).toEqual({ plain: 'eth0', i1: 'wan7', shut: 'eth1' });
      await disconnect('i1');
      expect(await namesBy(host, 'c1')).toEqual({ plain: 'eth0', shut: 'eth1' });
    });

    it('are honoured at start where tsnet sees it', async () => {
      const run = ['run', '-d', '--stop-timeout', '0', '--name', 'c1', '--network'];
      const uplink = [`name=t1,driver-opt=${IFNAME}=uplink`, 'busybox', 'sleep', '1d'];
      if (!atStart) {
        expect(await host.refused(...run, ...uplink)).toContain('cannot be named uplink. Name it uplink0: ');
        return;
      }
      await host.docker(...run, ...uplink);
      await connect('plain');
      expect(await namesBy(host, 'c1')).toEqual({ t1: 'uplink', plain: 'eth0' });
    });

    it('are refused in words where they are taken', async () => {
      await startContainer(host, 'c1', 'plain');
      const { status, body } = await connectWith(host, 't1', 'c1', { DriverOpts: { [IFNAME]: 'eth0' } });
      expect(status).toBeGreaterThanOrEqual(400);
      expect((body as { message: string }).message).toContain('cannot be named eth0. Name it eth1: ');
      expect(await namesIn(host, 'c1')).toEqual(['eth0']);
    });

    it('are refused in words where they are none', async () => {
      await startContainer(host, 'c1', 'plain');
      for (const name of ['1eth', 'a/b', '..', 'a b', 'sixteen-letters-', 'eth0:1', '']) {
        const { status, body } = await connectWith(host, 't1', 'c1', { DriverOpts: { [IFNAME]: name } });
        expect(status).toBeGreaterThanOrEqual(400);
        const words = `OPTION_INVALID: option ${IFNAME}=${JSON.stringify(name)} is not a link name`;
        expect((body as { message: string }).message).toContain(words);
      }
      expect(await namesIn(host, 'c1')).toEqual(['eth0']);
    });

    it('do not keep the engine from further networks where they are what it would come to', async () => {
      await startContainer(host, 'c1', 'plain');
      await connectAs(host, 't1', 'c1', { [IFNAME]: 'eth1' });
      expect(await namesBy(host, 'c1')).toEqual({ plain: 'eth0', t1: 'eth1' });
      await connect('shut');
      expect(await namesBy(host, 'c1')).toEqual({ plain: 'eth0', t1: 'eth1', shut: 'eth2' });
    });
  });

  it("never meet the engine's, in whatever order networks are connected", async () => {
    const all = [...orders(['t1', 't2', 'shut']), ...orders(['t1', 'plain', 'shut'])];
    await inGroups(all, 4, async networks => {
      const name = networks.join('-');
      const [first = '', ...rest] = networks;
      await startContainer(host, name, first);
      for (const network of rest) await connect(network, name);
      // the first one is always the engine's, and so is what follows the first that is made inside
      const made = rest.find(network => network.startsWith('t')) ?? '';
      const others = networks.filter(network => network !== made);
      const numbered = others.map((network, at) => [network, `eth${at}`]);
      expect(await namesBy(host, name)).toEqual({
        ...Object.fromEntries(numbered),
        ...(made === '' ? {} : { [made]: BEYOND }),
      });
    });
  });

  it('never meet at start, in whatever order the engine takes the networks', async () => {
    await host.docker(
      'create',
      '--stop-timeout',
      '0',
      '--name',
      'c1',
      '--network',
      't1',
      'busybox',
      'sleep',
      '1d',
    );
    for (const network of MIXED.slice(1)) await connect(network);
    await host.docker(
      'create',
      '--stop-timeout',
      '0',
      '--name',
      'c2',
      '--network',
      'i1',
      'busybox',
      'sleep',
      '1d',
    );
    await connect('v2', 'c2');
    const firsts = new Set<string>();
    for (let start = 0; start < (atStart ? STARTS : 3); start++) {
      await Promise.all(['c1', 'c2'].map(container => host.docker('restart', '-t', '0', container)));
      const found = await namesBy(host, 'c1');
      const expected = atStart ? ['eth0', 'eth1', 'eth2', BEYOND] : ['eth0', 'eth1', 'eth2', 'eth3'];
      expect(Object.values(found).sort()).toEqual(expected.sort());
      firsts.add(Object.keys(found).find(network => found[network] === 'eth0') ?? '');
      expect(Object.values(await namesBy(host, 'c2')).sort()).toEqual(['eth0', 'vpn0']);
    }
    // an older engine puts them into an order of its own
    if (atStart) expect(firsts.size, 'orders seen').toBeGreaterThan(1);
  });
});
