import { describe, expect, it } from 'vitest';
import { CALL, Engine } from './engine.ts';
import { MemoryStore } from './memory-store.ts';

const POOL = '198.18.0.0/24';
const lan = { pool: POOL, gateway: '198.18.0.1', aux: ['198.18.0.2'] };

describe.each([20, 28, 29] as const)('an engine of version %i', version => {
  const make = () => {
    const store = new MemoryStore();
    return { store, engine: new Engine(store, version) };
  };

  it('creates, uses and removes a network, and nothing is left', async () => {
    const { store, engine } = make();
    const network = await engine.createNetwork(lan);
    const a = await engine.start(network, 'a');
    const b = await engine.start(network, 'b', '198.18.0.200');
    expect([a, b]).toEqual(['198.18.0.3', '198.18.0.200']);
    await engine.stop(network, a);
    await engine.stop(network, b);
    await engine.removeNetwork(network);
    expect([store.pools(), store.leases()]).toEqual([[], []]);
  });

  it('is refused an address that is held, and nothing changes', async () => {
    const { store, engine } = make();
    const network = await engine.createNetwork(lan);
    await engine.start(network, 'web', '198.18.0.9');
    const before = store.leases();
    const holder = version === 29 ? ' by web' : '';
    await expect(engine.start(network, 'b', '198.18.0.9')).rejects.toThrow(
      `ADDRESS_TAKEN: 198.18.0.9 of the pool ${POOL} is taken${holder}. `,
    );
    await expect(engine.start(network, 'b', '198.18.0.1')).rejects.toThrow(
      '198.18.0.1 of the pool 198.18.0.0/24 is taken by gateway of 1 network.',
    );
    await expect(engine.start(network, 'b', '198.18.0.2')).rejects.toThrow(/^ADDRESS_TAKEN/);
    expect(store.leases()).toEqual(before);
  });

  it.each([
    ['the engine', {}],
    ['the engine and the plugin', { plugin: true }],
  ])('replays after a restart of %s, and holds what it held', async (_, restart) => {
    const { store, engine } = make();
    const network = await engine.createNetwork(lan);
    await engine.start(network, 'a');
    const before = store.leases().map(lease => lease.address);
    for (let i = 0; i < 3; i++) {
      await engine.restart(restart);
      expect(store.leases().map(lease => lease.address)).toEqual(before);
      for (const held of before)
        await expect(engine.start(network, 'b', held)).rejects.toThrow(/^ADDRESS_TAKEN/);
      const another = await engine.start(network, `c${i}`);
      expect(before).not.toContain(another);
      await engine.stop(network, another);
    }
  });

  it.each([
    ['the engine', {}],
    ['the engine and the plugin', { plugin: true }],
  ])('starts with the same --ip again after %s crashed', async (_, restart) => {
    const { engine } = make();
    const network = await engine.createNetwork(lan);
    await engine.start(network, 'web', '198.18.0.9');
    await engine.restart({ ...restart, crash: true });
    expect(await engine.start(network, 'web', '198.18.0.9')).toBe('198.18.0.9');
    await expect(engine.start(network, 'b', '198.18.0.9')).rejects.toThrow(/^ADDRESS_TAKEN/);
  });

  it('starts with the same --ip although it crashed before it remembered the endpoint', async () => {
    const { engine } = make();
    const network = await engine.createNetwork(lan);
    await engine.start(network, 'web', '198.18.0.9');
    network.endpoints.clear();
    await engine.restart({ plugin: true });
    expect(await engine.start(network, 'web', '198.18.0.9')).toBe('198.18.0.9');
    await expect(engine.start(network, 'b', '198.18.0.9')).rejects.toThrow(/^ADDRESS_TAKEN/);
  });

  it('registers without replay (a managed plugin restarted, swarm mode begun): duplicates stay refused', async () => {
    const { engine } = make();
    const network = await engine.createNetwork(lan);
    await engine.start(network, 'web', '198.18.0.9');
    engine.restartPlugin();
    engine.ipam.registered();
    for (const held of ['198.18.0.1', '198.18.0.2', '198.18.0.9']) {
      await expect(engine.start(network, 'b', held)).rejects.toThrow(/^ADDRESS_TAKEN/);
    }
    expect(await engine.start(network, 'b')).toBe('198.18.0.3');
  });

  it('registers without replay, and makes another network on the subnet: what is in use stays refused', async () => {
    const { engine } = make();
    const network = await engine.createNetwork(lan);
    const [used, forgotten] = ['198.18.0.9', '198.18.0.10'];
    await engine.start(network, 'web', used);
    await engine.start(network, 'gone', forgotten);
    engine.restartPlugin(address => address === used || address === '198.18.0.1');
    engine.ipam.registered();
    const other = await engine.createNetwork({ pool: POOL, gateway: '198.18.0.5' });
    engine.ipam.replayed();
    for (const held of ['198.18.0.1', used])
      await expect(engine.start(other, 'b', held)).rejects.toThrow(/^ADDRESS_TAKEN/);
    expect(await engine.start(other, 'b', forgotten)).toBe(forgotten);
  });

  it('replays what is in use, too: its containers have outlived it', async () => {
    const { store, engine } = make();
    const network = await engine.createNetwork(lan);
    const held = await engine.start(network, 'web', '198.18.0.9');
    engine.restartPlugin(() => true);
    await engine.restart();
    expect(store.leases().find(lease => lease.address === held)?.epoch).toBe(2);
  });

  it('goes on with its replay to a plugin that was killed in the middle of it', async () => {
    const { engine } = make();
    const network = await engine.createNetwork(lan);
    await engine.start(network, 'web', '198.18.0.9');
    engine.ipam.registered();
    await engine.createNetwork(lan);
    engine.restartPlugin(() => true);
    expect(await engine.start(network, 'web', '198.18.0.9')).toBe('198.18.0.9');
  });

  it('remembers that the replay is over', async () => {
    const { engine } = make();
    const network = await engine.createNetwork(lan);
    await engine.start(network, 'web', '198.18.0.9');
    engine.ipam.registered();
    await engine.createNetwork({ pool: POOL, gateway: '198.18.0.5' });
    engine.ipam.replayed();
    engine.restartPlugin(() => true);
    await expect(engine.start(network, 'b', '198.18.0.9')).rejects.toThrow(/^ADDRESS_TAKEN/);
  });

  it('counts a router anew in a replay only', async () => {
    const store = new MemoryStore();
    const engine = new Engine(store, version);
    const one = await engine.createNetwork({ pool: POOL, gateway: '198.18.0.1' });
    engine.restartPlugin();
    engine.ipam.registered();
    engine.ipam.replayed();
    const two = await engine.createNetwork({ pool: POOL, gateway: '198.18.0.1' });
    expect(store.leases().map(({ holder }) => holder)).toEqual(['gateway of 2 networks']);
    await engine.removeNetwork(one);
    await expect(engine.start(two, 'b', '198.18.0.1')).rejects.toThrow(/^ADDRESS_TAKEN/);
  });

  it('replays to a plugin that has lost its store', async () => {
    const { engine: before } = make();
    const network = await before.createNetwork(lan);
    await before.start(network, 'a', '198.18.0.9');
    const { engine } = make();
    engine.networks.push(network);
    await engine.restart();
    await expect(engine.start(network, 'b', '198.18.0.9')).rejects.toThrow(/^ADDRESS_TAKEN/);
    expect(await engine.start(network, 'b')).toBe('198.18.0.3');
  });
});

describe('the name of a container', () => {
  it('gives it back what it held, where its release was lost', async () => {
    const engine = new Engine(new MemoryStore());
    const network = await engine.createNetwork(lan);
    await engine.start(network, 'web', '198.18.0.9');
    expect(await engine.start(network, 'web', '198.18.0.9')).toBe('198.18.0.9');
  });

  it('may be "gateway"', async () => {
    const engine = new Engine(new MemoryStore());
    const network = await engine.createNetwork(lan);
    await expect(engine.start(network, 'gateway', '198.18.0.1')).rejects.toThrow(/^ADDRESS_TAKEN/);
    await engine.start(network, 'gateway', '198.18.0.9');
    await expect(engine.createNetwork({ pool: POOL, gateway: '198.18.0.9' })).rejects.toThrow(
      'is taken by gateway.',
    );
  });
});

describe('networks that share a subnet', () => {
  it('have one set of addresses, and the router in common', async () => {
    const store = new MemoryStore();
    const engine = new Engine(store);
    const one = await engine.createNetwork({ pool: POOL, subPool: '198.18.0.64/26', gateway: '198.18.0.1' });
    const two = await engine.createNetwork({ pool: POOL, subPool: '198.18.0.64/27', gateway: '198.18.0.1' });
    expect(await engine.start(one, 'a')).toBe('198.18.0.64');
    expect(await engine.start(two, 'b')).toBe('198.18.0.65');
    await expect(engine.start(two, 'c', '198.18.0.64')).rejects.toThrow('is taken by a.');
    await engine.restart();
    await engine.restart({ plugin: true });
    await engine.stop(one, '198.18.0.64');
    await engine.removeNetwork(one);
    expect(store.leases().map(lease => [lease.address, lease.holder])).toEqual([
      ['198.18.0.1', 'gateway of 1 network'],
      ['198.18.0.65', 'b'],
    ]);
    await engine.stop(two, '198.18.0.65');
    await engine.removeNetwork(two);
    expect([store.pools(), store.leases()]).toEqual([[], []]);
  });

  it('and the pool: one that goes leaves the other its pool and its addresses', async () => {
    const store = new MemoryStore();
    const engine = new Engine(store);
    const one = await engine.createNetwork(lan);
    const two = await engine.createNetwork({ pool: POOL, gateway: '198.18.0.3' });
    expect(one.poolId).toBe(two.poolId);
    await engine.removeNetwork(one);
    await expect(engine.createNetwork({ pool: '198.18.0.0/16' })).rejects.toThrow(
      /^POOL_OVERLAP: 198.18.0.0\/16 overlaps the pool 198.18.0.0\/24, which has 1/,
    );
    await expect(engine.createNetwork({ pool: POOL, aux: ['198.18.0.3'] })).rejects.toThrow(/^ADDRESS_TAKEN/);
    expect(store.leases().map(lease => lease.address)).toEqual(['198.18.0.3']);
    await engine.removeNetwork(two);
    expect([store.pools(), store.leases()]).toEqual([[], []]);
    await engine.createNetwork({ pool: '198.18.0.0/16' });
  });
});

describe('the overlap loop: the engine rejects a pool, keeps it and asks again', () => {
  it.each([
    [false, 128],
    [true, 65_536],
  ])('ends, IPv6 %s', async (v6, count) => {
    const { ipam } = new Engine(new MemoryStore());
    const ask = () => ipam.requestPool({ addressSpace: ipam.localSpace, options: {}, v6 }, CALL);
    const pools = new Set<string>();
    for (let i = 0; i < Math.min(count, 200); i++) pools.add((await ask()).pool);
    expect(pools.size).toBe(Math.min(count, 200));
    if (count < 200)
      await expect(ask()).rejects.toThrow(
        `POOLS_EXHAUSTED: all ${count} pools of 172.28.0.0/14 and 172.24.0.0/14 in blocks of /20`,
      );
    const [first = ''] = pools;
    await ipam.releasePool(`${ipam.localSpace}/${first}`, CALL);
    const next = (await ask()).pool;
    expect(next === first).toBe(!v6);
  });
});
