import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EngineView } from '../../src/engine/client.ts';
import { Inventory } from '../../src/engine/inventory.ts';
import { OwnEngine } from '../../src/engine/own-engine.ts';
import { attach, NETWORKS, type NetworkName, World } from '../driver/world.ts';
import { logLines } from '../reconcile/log-lines.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const RELEASE = { version: '28.5.2', liveRestore: false };

const listed = (...names: NetworkName[]) =>
  names.map(name => ({ id: NETWORKS[name].networkId, name: `my-${name}` }));

/** A world with some networks, and an engine that can be told what it answers. */
const setUp = async (...names: NetworkName[]) => {
  const world = new World();
  for (const name of names) await attach(world, name);
  world.restart();
  const engine: { view: EngineView | Error } = { view: new Error('connect ENOENT') };
  const view = vi.fn(async () => {
    if (engine.view instanceof Error) throw engine.view;
    return engine.view;
  });
  const { log, lines } = logLines();
  const { state, store, runner } = world;
  const inventory = new Inventory({ state, ownEngine: new OwnEngine(store), runner, log, view });
  const answer = (engineId: string, ...present: NetworkName[]) => {
    engine.view = { engineId, release: RELEASE, networks: listed(...present) };
  };
  const nameOf = (name: NetworkName) => state.network(NETWORKS[name].networkId)?.name;
  return { world, inventory, engine, view, lines, answer, nameOf };
};

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe('names', () => {
  it('are learned soon after a network was made, and kept on the disk', async () => {
    const { world, inventory, answer, nameOf, view } = await setUp('nat');
    answer('engine-1', 'nat');
    inventory.refresh();
    expect(view).not.toHaveBeenCalled();
    await pass(100);
    expect(nameOf('nat')).toBe('my-nat');
    expect(world.store.networkRows.get(NETWORKS.nat.networkId)?.name).toBe('my-nat');
    await pass(120_000);
    expect(view).toHaveBeenCalledTimes(1);
  });

  it('are asked for again, ever more seldom, while the engine does not answer or list the network', async () => {
    const { inventory, answer, nameOf, view } = await setUp('nat');
    inventory.refresh();
    const looks: number[] = [];
    for (let ms = 0; ms <= 60_000; ms += 100) {
      const before = view.mock.calls.length;
      await pass(100);
      if (view.mock.calls.length > before) looks.push(ms + 100);
      if (ms === 300) answer('engine-1');
    }
    expect(looks).toEqual([100, 400, 1400, 4400, 14_400, 44_400]);
    answer('engine-1', 'nat');
    inventory.refresh();
    await pass(100);
    expect(nameOf('nat')).toBe('my-nat');
  });

  it('of networks that are not tsnet’s are passed over', async () => {
    const { world, inventory, answer } = await setUp('nat');
    answer('engine-1', 'nat', 'lan');
    inventory.refresh();
    await pass(100);
    expect(world.state.networks()).toHaveLength(1);
  });

  it('follow a network that is created again under another name', async () => {
    const { inventory, engine, nameOf, answer } = await setUp('nat');
    answer('engine-1', 'nat');
    inventory.refresh();
    await pass(100);
    const networks = [{ id: NETWORKS.nat.networkId, name: 'other' }];
    engine.view = { engineId: 'engine-1', release: RELEASE, networks };
    inventory.refresh();
    await pass(100);
    expect(nameOf('nat')).toBe('other');
  });

  it('are not given to a network that is being removed', async () => {
    const { world, inventory, answer, nameOf } = await setUp('nat');
    const row = world.state.network(NETWORKS.nat.networkId);
    if (row !== undefined) world.state.putNetwork({ ...row, lifecycle: 'deleting' });
    answer('engine-1', 'nat');
    inventory.refresh();
    await pass(100);
    expect(nameOf('nat')).toBeUndefined();
  });

  it('wait for a call under way on the same network', async () => {
    const { world, inventory, answer, nameOf } = await setUp('nat');
    answer('engine-1', 'nat');
    const { promise, resolve } = Promise.withResolvers<void>();
    const call = world.runner.run([`network ${NETWORKS.nat.networkId}`], () => promise);
    inventory.refresh();
    await pass(100);
    expect(nameOf('nat')).toBeUndefined();
    resolve();
    await call;
    await pass(0);
    expect(nameOf('nat')).toBe('my-nat');
  });
});

describe('the engine', () => {
  it('is the one that lists a network of tsnet', async () => {
    const { world, inventory, answer } = await setUp('nat');
    answer('engine-9');
    inventory.refresh();
    await pass(100);
    expect(world.store.settings.get('engine-id')).toBeUndefined();
    answer('engine-1', 'nat');
    await pass(300);
    expect(world.store.settings.get('engine-id')).toBe('engine-1');
  });
});

describe('a known fault of the engine', () => {
  const WARNING = expect.stringMatching(/^warn: engine 29\.0\.1 dies .*moby#51554/);

  it('is told once, with or without networks, and again to nobody at later looks', async () => {
    const { inventory, engine, lines } = await setUp();
    const release = { version: '29.0.1', liveRestore: false };
    engine.view = { engineId: 'engine-1', release, networks: [] };
    inventory.refresh();
    await pass(100);
    expect(lines).toEqual([WARNING]);
    inventory.refresh();
    await pass(100);
    expect(lines).toHaveLength(1);
  });

  it('is told although the store cannot be read', async () => {
    const { world, inventory, engine, lines } = await setUp('nat');
    const release = { version: '29.0.1', liveRestore: false };
    engine.view = { engineId: 'engine-1', release, networks: listed('nat') };
    inventory.refresh();
    world.store.unreadable = true;
    await pass(100);
    expect(lines).toContainEqual(WARNING);
  });
});

it('asks nobody where there is no engine to ask', async () => {
  const { world } = await setUp('nat');
  const { log, lines } = logLines();
  const { state, store, runner } = world;
  const inventory = new Inventory({ state, ownEngine: new OwnEngine(store), runner, log, view: undefined });
  inventory.refresh();
  expect(vi.getTimerCount()).toBe(0);
  await pass(120_000);
  expect(lines).toEqual([]);
});

describe('close', () => {
  it('ends the looking', async () => {
    const { inventory, view } = await setUp('nat');
    inventory.refresh();
    await pass(100);
    inventory.close();
    await pass(120_000);
    expect(view).toHaveBeenCalledTimes(1);
  });

  it('ends it also where it was asked for while a look was under way', async () => {
    const { inventory, view } = await setUp('nat');
    const { promise, reject } = Promise.withResolvers<never>();
    view.mockReturnValueOnce(promise);
    inventory.refresh();
    await pass(100);
    inventory.refresh();
    reject(new Error('the engine went away'));
    await pass(0);
    inventory.close();
    await pass(120_000);
    expect(view).toHaveBeenCalledTimes(1);
  });
});
