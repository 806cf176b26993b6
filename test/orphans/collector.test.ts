import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OwnEngine } from '../../src/engine/own-engine.ts';
import { Ipam } from '../../src/ipam/ipam.ts';
import { Collector } from '../../src/orphans/collector.ts';
import { Heard } from '../../src/orphans/heard.ts';
import { listenToDriver, listenToIpam } from '../../src/orphans/listen.ts';
import { remover } from '../../src/orphans/remove.ts';
import {
  attach,
  endpointOn,
  FakeCall,
  join,
  NETWORKS,
  type NetworkName,
  sandboxOf,
  World,
} from '../driver/world.ts';
import { logLines } from '../reconcile/log-lines.ts';
import { FakeEngine } from './fake-engine.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

const GRACE = 30_000;
const [NAT, LAN] = [NETWORKS.nat.networkId, NETWORKS.lan.networkId];

/** A daemon that has just started with what its predecessor has left, and an engine that has all of it. */
async function setUp(names: readonly NetworkName[] = ['nat', 'lan'], graceMs = GRACE) {
  const world = new World();
  for (const name of names) await attach(world, name);
  for (const network of world.state.networks())
    world.state.putNetwork({ ...network, name: `my-${network.id[0]}` });
  world.restart();
  return begin(world, graceMs);
}

function begin(world: World, graceMs = GRACE, given: FakeEngine | 'none' = new FakeEngine()) {
  const engine = given === 'none' ? undefined : given;
  engine?.knowsAllOf(world);
  const heard = new Heard();
  const { log, lines } = logLines();
  const { state, store } = world;
  const ipam = new Ipam(store);
  const sandboxes = new Set<string>();
  const raw = remover(world.driver, ipam, log);
  const remove = vi.fn(raw);
  const collector = new Collector({
    state,
    held: () => ipam.held(),
    heard,
    listing: engine,
    ownEngine: new OwnEngine(store),
    isThere: sandbox => sandboxes.has(sandbox),
    remove,
    graceMs,
    log,
  });
  const driver = listenToDriver(world.driver, heard, () => collector.stir());
  const ids = () => state.networks().map(({ id }) => id);
  const told = () => lines.filter(line => /^(info|warn): .*unknown to the engine/.test(line));
  const heardIpam = listenToIpam(ipam, heard);
  return {
    world,
    engine: engine as FakeEngine,
    collector,
    driver,
    ipam: heardIpam,
    heard,
    sandboxes,
    lines,
    told,
    remove,
    ids,
  };
}

describe('a network that the engine has forgotten', () => {
  it('is reported at once, and removed with what is on the host when its grace is over', async () => {
    const { world, engine, collector, ids, told } = await setUp();
    engine.all.delete(NAT);
    collector.refresh();
    await pass(100);
    expect(told()).toEqual([
      'warn: network my-a is unknown to the engine and is removed in 30 s unless it speaks of it before',
    ]);
    expect(collector.suspicions.list()).toEqual([{ name: 'network my-a', since: 0, removedIn: 30 }]);
    await pass(GRACE - 100);
    expect(collector.suspicions.list()).toEqual([{ name: 'network my-a', since: 29, removedIn: 1 }]);
    expect(ids()).toContain(NAT);
    await pass(1000);
    expect(ids()).toEqual([LAN]);
    expect([...world.kernel.model.links.values()].filter(link => link.kind === 'bridge')).toEqual([]);
    expect(told()[1]).toBe('info: network my-a is unknown to the engine and is removed');
    expect(collector.collected).toBe(1);
    expect(collector.suspicions.list()).toEqual([]);
  });

  it('also when it was the only one', async () => {
    const { engine, collector, ids } = await setUp(['nat']);
    engine.all.clear();
    collector.refresh();
    await pass(GRACE + 1000);
    expect(ids()).toEqual([]);
  });

  it('is found without anybody having asked for it, in time', async () => {
    const { engine, collector, ids } = await setUp();
    collector.refresh();
    await pass(1000);
    engine.all.delete(NAT);
    await pass(20 * GRACE);
    expect(ids()).toEqual([LAN]);
  });

  it('stays when one look finds it listed, and when the engine speaks of it', async () => {
    const { world, engine, collector, driver, ids } = await setUp();
    const known = engine.all.get(NAT);
    engine.all.delete(NAT);
    collector.refresh();
    await pass(GRACE / 2);
    if (known !== undefined) engine.all.set(NAT, known);
    collector.refresh();
    await pass(1000);
    expect(collector.suspicions.list()).toEqual([]);
    engine.all.delete(NAT);
    for (let k = 0; k < 20; k++) {
      await pass(4000);
      await driver.createNetwork(NETWORKS.nat, new FakeCall());
    }
    expect(ids()).toContain(NAT);
    expect(world.state.network(NAT)?.lifecycle).toBe('live');
  });

  it('stays while the engine cannot be asked, and has its whole grace again after that', async () => {
    const { engine, collector, ids, lines } = await setUp();
    engine.all.delete(NAT);
    collector.refresh();
    await pass(GRACE - 1000);
    engine.failure = new Error('connect ECONNREFUSED');
    await pass(10 * GRACE);
    expect(ids()).toContain(NAT);
    engine.failure = undefined;
    await pass(GRACE);
    expect(ids()).toContain(NAT);
    await pass(GRACE + 5000);
    expect(ids()).toEqual([LAN]);
    // And nobody was told twice.
    expect(lines.filter(line => line.startsWith('warn'))).toHaveLength(1);
  });

  it('has its whole grace again when an engine has started', async () => {
    const { engine, collector, ids } = await setUp();
    engine.all.delete(NAT);
    collector.refresh();
    await pass(GRACE - 1000);
    collector.engineStarted();
    await pass(GRACE - 1000);
    expect(ids()).toContain(NAT);
    await pass(3000);
    expect(ids()).toEqual([LAN]);
  });

  it('stays while a container is on it, which status says', async () => {
    const world = new World();
    await attach(world, 'nat', 1);
    const { engine, collector, sandboxes, ids, told } = begin(world);
    const sandbox = sandboxOf(endpointOn('nat', 1).endpointId);
    sandboxes.add(sandbox);
    world.store.settings.set('engine-id', 'engine-1');
    engine.all.clear();
    collector.refresh();
    await pass(5 * GRACE);
    expect(ids()).toEqual([NAT]);
    expect(collector.suspicions.list()[0]?.kept).toBe('a container is on it');
    expect(told()).toEqual([
      expect.stringMatching(/aaaaaaaaaaaa is unknown .* is kept: a container is on it$/),
    ]);
    sandboxes.clear();
    await pass(20 * GRACE);
    expect(ids()).toEqual([]);
  });

  it('stays if a call about it comes while the engine is being asked', async () => {
    const { engine, collector, driver, ids } = await setUp();
    engine.all.delete(NAT);
    collector.refresh();
    await pass(GRACE - 1000);
    const ask = engine.networks.bind(engine);
    vi.spyOn(engine, 'networks').mockImplementation(async () => {
      const answer = await ask();
      await driver.createNetwork(NETWORKS.nat, new FakeCall());
      return answer;
    });
    await pass(3000);
    expect(ids()).toContain(NAT);
  });

  it('is only reported where nothing is to be removed', async () => {
    const { engine, collector, ids, told } = await setUp(['nat', 'lan'], Number.POSITIVE_INFINITY);
    engine.all.delete(NAT);
    collector.refresh();
    await pass(100 * GRACE);
    expect(ids()).toContain(NAT);
    expect(told()).toEqual(['warn: network my-a is unknown to the engine and is kept: nothing is removed']);
    expect(collector.suspicions.list()[0]).not.toHaveProperty('removedIn');
  });

  it('is tried again where its removal fails', async () => {
    const { engine, collector, remove, ids, lines } = await setUp();
    engine.all.delete(NAT);
    remove.mockRejectedValueOnce(new Error('EBUSY'));
    collector.refresh();
    await pass(3 * GRACE);
    expect(lines.join()).toContain('network my-a cannot be removed yet: Error: EBUSY');
    expect(ids()).toEqual([LAN]);
  });

  it('is not removed because the store cannot be read', async () => {
    const { world, engine, collector, remove } = await setUp();
    engine.all.clear();
    world.store.unreadable = true;
    collector.refresh();
    await pass(10 * GRACE);
    expect(remove).not.toHaveBeenCalled();
  });
});

describe('a network in the making', () => {
  it('is none of the forgotten: the engine lists it when the driver has made it', async () => {
    const { engine, collector, driver, told, ids, world } = await setUp(['nat']);
    const { promise, resolve } = Promise.withResolvers<void>();
    const held = world.runner.run([`network ${LAN}`], () => promise);
    const call = driver.createNetwork(NETWORKS.lan, new FakeCall());
    collector.refresh();
    await pass(GRACE * 2);
    resolve();
    await held;
    await call;
    collector.refresh();
    await pass(4000);
    engine.knowsAllOf(world);
    await pass(10 * GRACE);
    expect(told()).toEqual([]);
    expect(ids()).toEqual([NAT, LAN]);
  });

  it('is forgotten when its engine died before it wrote it down', async () => {
    const { collector, driver, ids } = await setUp(['nat']);
    await driver.createNetwork(NETWORKS.lan, new FakeCall());
    collector.refresh();
    await pass(GRACE);
    expect(ids()).toEqual([NAT, LAN]);
    await pass(2 * GRACE);
    expect(ids()).toEqual([NAT]);
  });

  it('goes within seconds when its call was cut off with the process before: the user tries again', async () => {
    const world = new World();
    await attach(world, 'nat');
    world.restart();
    const { engine, collector, ids } = begin(world);
    engine.all.clear();
    collector.refresh();
    await pass(1500);
    expect(ids()).toEqual([NAT]);
    await pass(1500);
    expect(ids()).toEqual([]);
  });
});

describe('a network whose removal has failed', () => {
  it('is removed soon, with no grace, also where there is no engine to ask', async () => {
    for (const engine of [new FakeEngine(), 'none'] as const) {
      const world = new World();
      await attach(world, 'nat');
      const { collector, driver, ids, lines } = begin(world, GRACE, engine);
      world.fuse.arm({ failAt: [2] });
      await expect(driver.deleteNetwork(NAT, new FakeCall())).rejects.toThrow(/KERNEL/);
      expect(world.state.network(NAT)?.lifecycle).toBe('deleting');
      collector.refresh();
      await pass(3000);
      expect(ids()).toEqual([]);
      expect(lines.join()).not.toContain('unknown to the engine');
    }
  });

  it('is tried again as long as it takes', async () => {
    const { world, collector, remove, ids } = await setUp(['nat']);
    const row = world.state.network(NAT);
    if (row !== undefined) world.state.putNetwork({ ...row, lifecycle: 'deleting' });
    remove.mockRejectedValue(new Error('EBUSY'));
    collector.refresh();
    await pass(5 * GRACE);
    const tries = remove.mock.calls.length;
    expect(tries).toBeGreaterThan(2);
    expect(tries).toBeLessThan(10);
    remove.mockRestore();
    await pass(2 * GRACE);
    expect(ids()).toEqual([]);
  });
});

describe('an endpoint that the engine has forgotten', () => {
  const [one, two] = [endpointOn('lan', 1), endpointOn('lan', 2)];
  const left = (world: World) => world.state.endpointsOf(LAN).map(({ id }) => id);

  it('goes with its link, also one whose container lives on', async () => {
    const world = new World();
    await attach(world, 'lan', 1, 2);
    world.restart();
    const { engine, collector, sandboxes } = begin(world);
    for (const { endpointId } of [one, two]) sandboxes.add(sandboxOf(endpointId));
    engine.forgetEndpoint(one.endpointId);
    collector.refresh();
    await pass(3000);
    expect(left(world)).toEqual([two.endpointId]);
    const links = [...world.kernel.model.links.values()].map(({ alias }) => alias);
    expect(links.some(alias => alias.includes(one.endpointId))).toBe(false);
    expect(links.some(alias => alias.includes(two.endpointId))).toBe(true);
  });

  it('has the whole grace if this process has heard of it', async () => {
    const world = new World();
    await attach(world, 'lan');
    const { collector, driver } = begin(world);
    await driver.createEndpoint(one, new FakeCall());
    await join({ driver } as World, one);
    collector.refresh();
    await pass(GRACE);
    expect(left(world)).toEqual([one.endpointId]);
    await pass(GRACE);
    expect(left(world)).toEqual([]);
  });

  it('stays while its Join is under way, however long that takes', async () => {
    const world = new World();
    await attach(world, 'lan');
    const { engine, collector, driver } = begin(world);
    await driver.createEndpoint(one, new FakeCall());
    const { promise, resolve } = Promise.withResolvers<void>();
    const held = world.runner.run([`network ${LAN}`], () => promise);
    const call = join({ driver } as World, one);
    collector.refresh();
    await pass(10 * GRACE);
    engine.knowsAllOf(world);
    resolve();
    await Promise.all([held, call]);
    await pass(10 * GRACE);
    expect(left(world)).toEqual([one.endpointId]);
  });
});

describe('pools and addresses that the engine has forgotten', () => {
  const CIDR = '198.18.64.0/24';
  const request = { addressSpace: 'tsnet-local', options: {}, v6: false };

  async function held() {
    const world = new World();
    await attach(world, 'nat');
    const parts = begin(world);
    const { poolId } = await parts.ipam.requestPool({ ...request, pool: CIDR }, new FakeCall());
    const ask = (more: object) =>
      parts.ipam.requestAddress({ poolId, gateway: false, options: {}, ...more }, new FakeCall());
    await ask({ gateway: true });
    await ask({ address: '198.18.64.7' });
    await ask({ address: '198.18.64.8' });
    const id = 'a'.repeat(63);
    const endpoints = [{ id: 'e', addresses: ['198.18.64.7'] }];
    parts.engine.all.set(id, { id, ipam: 'tsnet', subnets: [{ subnet: CIDR, reserved: [] }], endpoints });
    const leases = () => [...world.store.leases()].map(({ address }) => address);
    return { ...parts, world, id, leases, ask };
  }

  it('are given back: an address that no endpoint has', async () => {
    const { collector, leases, told } = await held();
    collector.refresh();
    await pass(3 * GRACE);
    expect(leases()).toEqual(['198.18.64.1', '198.18.64.7']);
    expect(told()).toHaveLength(2);
  });

  it('are given back: all of a network that is gone, and its pool', async () => {
    const { world, engine, collector, id, leases } = await held();
    engine.all.delete(id);
    collector.refresh();
    await pass(3 * GRACE);
    expect(leases()).toEqual([]);
    expect(world.store.pools()).toEqual([]);
  });

  it('stay when they are spoken of', async () => {
    const { collector, leases, ipam, ask } = await held();
    collector.refresh();
    await pass(GRACE - 2000);
    await ipam.releaseAddress(`tsnet-local/${CIDR}`, '198.18.64.8', new FakeCall());
    await ask({ address: '198.18.64.8' });
    await pass(4000);
    expect(leases()).toContain('198.18.64.8');
  });

  it('are left alone in the space of a swarm’s manager', async () => {
    const { world, collector, ipam } = await held();
    const swarm = { ...request, addressSpace: 'tsnet-global', pool: '198.19.0.0/24' };
    const { poolId } = await ipam.requestPool(swarm, new FakeCall());
    collector.refresh();
    await pass(10 * GRACE);
    expect(world.store.pools().map(({ id }) => id)).toContain(poolId);
  });
});

describe('on the word of', () => {
  it('another engine than the one that was seen to have tsnet’s networks nothing is removed', async () => {
    const { world, engine, collector, remove } = await setUp();
    world.store.settings.set('engine-id', 'engine-1');
    engine.id = 'engine-2';
    engine.all.clear();
    collector.refresh();
    await pass(20 * GRACE);
    expect(remove).not.toHaveBeenCalled();
  });

  it('an engine that never listed what tsnet made at its engine’s request nothing is removed, nor by the next process', async () => {
    const { world, engine, collector, driver, remove } = await setUp([]);
    engine.id = 'engine-2';
    await driver.createNetwork(NETWORKS.nat, new FakeCall());
    await pass(11_000);
    collector.refresh();
    await pass(20 * GRACE);
    expect(remove).not.toHaveBeenCalled();
    world.restart();
    const later = begin(world);
    later.engine.all.clear();
    later.engine.id = 'engine-2';
    later.collector.refresh();
    await pass(20 * GRACE);
    expect(later.remove).not.toHaveBeenCalled();
  });

  it('the one that lists one of them the others are', async () => {
    const { world, engine, collector, ids } = await setUp();
    world.store.settings.set('engine-id', 'engine-before-it-was-installed-anew');
    engine.all.delete(NAT);
    collector.refresh();
    await pass(2 * GRACE);
    expect(ids()).toEqual([LAN]);
    expect(world.store.settings.get('engine-id')).toBe('engine-1');
  });
});

it('asks for nothing but the networks while there is nothing else to be asked', async () => {
  const { engine, collector } = await setUp();
  collector.refresh();
  await pass(200);
  expect(engine.asked).toEqual(['networks']);
});

it('asks nothing where tsnet has nothing, or there is no engine to ask', async () => {
  const { engine, collector } = await setUp([]);
  collector.refresh();
  await pass(10 * GRACE);
  expect(engine.asked).toEqual([]);
  const without = begin(new World(), GRACE, 'none');
  await attach(without.world, 'nat');
  without.collector.refresh();
  await pass(10 * GRACE);
  expect(without.remove).not.toHaveBeenCalled();
  without.collector.close();
  collector.close();
  expect(vi.getTimerCount()).toBe(0);
});
