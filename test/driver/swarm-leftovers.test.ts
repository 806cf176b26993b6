import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SwarmLeftovers } from '../../src/driver/swarm-leftovers.ts';
import { containerLinkName } from '../../src/host-state/names.ts';
import { logLines } from '../reconcile/log-lines.ts';
import { endpointOn, FakeCall, join, NETWORKS, sandboxOf, World } from './world.ts';

const ID = 'pu8t6oylvjech7223filf0vjt';
const LAN = { ...NETWORKS.lan, networkId: ID };
const ENDPOINT = endpointOn('lan', 1, { networkId: ID });

/** A host with a task on a swarm's network, after tsnet has started anew, as it does with its engine. */
async function setUp() {
  const world = new World();
  await world.driver.createNetwork(LAN, new FakeCall());
  await world.driver.createEndpoint(ENDPOINT, new FakeCall());
  await join(world, ENDPOINT);
  world.kernel.moveIn(containerLinkName(ENDPOINT.endpointId), sandboxOf(ENDPOINT.endpointId));
  world.restart();
  const { log, lines } = logLines();
  const leftovers = new SwarmLeftovers({
    state: world.state,
    kernel: world.kernel,
    log,
    remove: id => world.driver.deleteNetwork(id, new FakeCall()),
  });
  const taskEnds = () => world.kernel.die(sandboxOf(ENDPOINT.endpointId), '');
  return { world, leftovers, lines, taskEnds };
}

describe('a network of a swarm whose engine was killed', () => {
  it('goes, with all that is on the host, when its tasks are gone', async () => {
    const { world, leftovers, lines, taskEnds } = await setUp();
    taskEnds();
    await leftovers.look();
    expect(world.state.networks()).toEqual([]);
    expect(world.kernel.model.state().links).toEqual([]);
    expect(world.kernel.model.state().routes).toEqual([]);
    expect(lines.join()).toContain(`swarm network ${ID.slice(0, 12)} was left by an engine`);
  });

  it('stays while it has a task', async () => {
    const { world, leftovers } = await setUp();
    await leftovers.look();
    expect(world.state.network(ID)?.lifecycle).toBe('live');
  });

  it('stays when an engine has spoken of it since', async () => {
    const { world, leftovers, taskEnds } = await setUp();
    taskEnds();
    leftovers.wanted(ID);
    await leftovers.look();
    expect(world.state.network(ID)?.lifecycle).toBe('live');
  });

  it('is not one that the engine writes down', async () => {
    const { world, leftovers } = await setUp();
    await world.driver.createNetwork(NETWORKS.nat, new FakeCall());
    await leftovers.look();
    expect(world.state.network(NETWORKS.nat.networkId)?.lifecycle).toBe('live');
  });

  it('is told of in the log when it cannot be removed', async () => {
    const { world, leftovers, lines, taskEnds } = await setUp();
    taskEnds();
    vi.spyOn(world.state, 'networks').mockImplementation(() => {
      throw new Error('unreadable');
    });
    await leftovers.look();
    expect(lines.join()).toContain('networks left by a swarm: Error: unreadable');
  });
});

describe('when an engine has registered', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is looked for what its predecessor has left, some times, until tsnet ends', async () => {
    const { leftovers } = await setUp();
    const look = vi.spyOn(leftovers, 'look');
    leftovers.engineStarted();
    leftovers.engineStarted();
    expect(look).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(15_000);
    expect(look).toHaveBeenCalledTimes(2);
    leftovers.close();
    await vi.advanceTimersByTimeAsync(100_000);
    expect(look).toHaveBeenCalledTimes(2);
  });
});
