import { describe, expect, it, vi } from 'vitest';
import { diff } from '../../src/host-state/diff.ts';
import { placeKey } from '../../src/host-state/keys.ts';
import { endpointMark } from '../../src/host-state/mark.ts';
import { containerLinkName, portName } from '../../src/host-state/names.ts';
import type { Op } from '../../src/host-state/ops.ts';
import type { Link, Place } from '../../src/host-state/types.ts';
import { desiredHost } from '../../src/modes/desired.ts';
import { Reconciler } from '../../src/reconcile/reconciler.ts';
import { Crash } from '../driver/fuse.ts';
import {
  attach,
  endpointOn,
  FakeCall,
  join,
  NETWORK_NAMES,
  type NetworkName,
  sandboxOf,
  World,
} from '../driver/world.ts';
import { logLines } from './log-lines.ts';
import { reconcilerOf } from './restore.ts';

/** A network, and an endpoint on it whose container runs already, so that its interface is made inside. */
async function withEndpoint(name: NetworkName) {
  const world = new World();
  await attach(world, name);
  const endpoint = endpointOn(name, 1);
  await world.driver.createEndpoint(endpoint, new FakeCall());
  const sandbox = sandboxOf(endpoint.endpointId);
  world.kernel.views.set(sandbox, { links: ['eth0'], destinations: [], ipv6: true });
  world.fuse.arm();
  return { world, endpoint, place: { sandbox, name: 'eth100' } };
}
const withJoined = async (name: NetworkName) => {
  const all = await withEndpoint(name);
  await join(all.world, all.endpoint);
  return all;
};
const restart = async (world: World): Promise<Op[]> => {
  world.restart();
  const { applied } = world.kernel;
  const before = applied.length;
  await reconcilerOf(world).reconciler.restored();
  return applied.slice(before).flat();
};

const placeOf = (link: Link): Place | undefined =>
  link.kind === 'veth' || link.kind === 'macvlan' ? link.place : undefined;
const placed = (world: World): Link[] =>
  [...world.kernel.model.links.values()].filter(link => placeOf(link) !== undefined);

/** What is still to be done, by one who can see into every container. */
async function stepsLeft({ state, kernel }: World): Promise<Op[]> {
  const networks = state.networks();
  const foreign = networks.flatMap(({ base }) => (base.kind === 'foreign' ? [base.link] : []));
  const desired = desiredHost(networks, ({ id }) => state.endpointsOf(id), await kernel.facts(foreign));
  const { residents } = desired;
  return diff(desired, { ...kernel.model.state(), sysctls: desired.sysctls, residents });
}

/** That the store and the containers agree: nothing is in one that the other does not know. */
async function expectAgreement(world: World): Promise<void> {
  const rows = [...world.store.endpointRows.values()];
  const marks = rows.filter(row => row.inside !== undefined).map(row => endpointMark(row.networkId, row.id));
  expect(placed(world).map(link => link.alias)).toEqual(marks);
  for (const row of rows) expect(row.lifecycle).toBe('live');
  const places = placed(world).flatMap(link => placeOf(link) ?? []);
  expect([...world.kernel.model.ends.keys()]).toEqual(places.map(placeKey));
  expect(await stepsLeft(world)).toEqual([]);
}

describe.each(NETWORK_NAMES)('an interface inside a container, on %s', name => {
  it('stays as it is when the process is restarted', async () => {
    const { world, endpoint } = await withJoined(name);
    const before = world.snapshot();
    expect(await restart(world)).toEqual([]);
    expect(world.snapshot()).toEqual(before);
    expect(world.state.endpoint(endpoint.networkId, endpoint.endpointId)).toMatchObject({ inside: 'eth100' });
  });

  it('is set up again where it was changed', async () => {
    const { world, place } = await withJoined(name);
    const [end] = [...world.kernel.model.ends.values()];
    if (end === undefined) throw new Error('there is no end');
    world.kernel.model.ends.set(placeKey(place), { ...end, addresses: [] });
    expect(await restart(world)).toEqual([{ op: 'end.set', end }]);
    await expectAgreement(world);
  });

  it('is removed after the restart where its endpoint was left before', async () => {
    const { world, endpoint, place } = await withJoined(name);
    await world.driver.leave(endpoint, new FakeCall());
    await restart(world);
    expect(await world.kernel.sandboxLinks(place.sandbox)).toEqual([]);
    expect(world.state.endpointsOf(endpoint.networkId)).toEqual([]);
    await expectAgreement(world);
  });

  it('is removed after the restart where its removal had begun', async () => {
    const { world, endpoint, place } = await withJoined(name);
    world.fuse.arm({ crashAt: 2 });
    await expect(world.driver.deleteEndpoint(endpoint, new FakeCall())).rejects.toBeInstanceOf(Crash);
    await restart(world);
    expect(await world.kernel.sandboxLinks(place.sandbox)).toEqual([]);
    expect(world.state.endpointsOf(endpoint.networkId)).toEqual([]);
    await expectAgreement(world);
  });

  it('is forgotten with its container', async () => {
    const { world, endpoint, place } = await withJoined(name);
    world.kernel.die(place.sandbox, portName(endpoint.endpointId));
    await restart(world);
    expect(world.state.endpointsOf(endpoint.networkId)).toEqual([]);
    await expectAgreement(world);
  });

  it('is forgotten with the host', async () => {
    const { world } = await withJoined(name);
    world.kernel.reboot();
    await restart(world);
    await expectAgreement(world);
  });

  it('is whole or away after a restart, wherever the process ended', async () => {
    const life = async (world: World, endpoint: ReturnType<typeof endpointOn>) => {
      await join(world, endpoint);
      await world.driver.leave(endpoint, new FakeCall());
      await world.driver.deleteEndpoint(endpoint, new FakeCall());
      // The row of what is inside a container goes in the background.
      await new Promise(setImmediate);
      world.fuse.check();
    };
    const measure = await withEndpoint(name);
    await life(measure.world, measure.endpoint);
    const effects = measure.world.fuse.journal.length;
    expect(effects).toBeGreaterThan(5);
    for (let at = 1; at <= effects; at++) {
      const { world, endpoint, place } = await withEndpoint(name);
      world.fuse.arm({ crashAt: at });
      await expect(life(world, endpoint)).rejects.toBeInstanceOf(Crash);
      await restart(world);
      await expectAgreement(world);
      // Whatever the engine does next, it can: what it says anew, or the end of it all.
      await world.driver.deleteEndpoint(endpoint, new FakeCall());
      expect(await world.kernel.sandboxLinks(place.sandbox)).toEqual([]);
      await expectAgreement(world);
    }
  });
});

describe('a removal after a restart', () => {
  it('says where a macvlan is, for nobody finds it otherwise', async () => {
    const { world, endpoint, place } = await withJoined('lan');
    await world.driver.leave(endpoint, new FakeCall());
    const alias = endpointMark(endpoint.networkId, endpoint.endpointId);
    expect(await restart(world)).toContainEqual({
      op: 'link.delete',
      name: containerLinkName(endpoint.endpointId),
      alias,
      place,
    });
  });
});

describe('an endpoint that was left and whose interface is still in its container', () => {
  it('is forgotten only when the kernel has deleted that: nothing on the host bears its mark', async () => {
    const { world, endpoint } = await withJoined('lan');
    await world.driver.leave(endpoint, new FakeCall());
    world.restart();
    const { promise: isGone, resolve: go } = Promise.withResolvers<boolean>();
    world.kernel.gone = () => isGone;
    const restored = reconcilerOf(world).reconciler.restored();
    await vi.waitFor(() => expect(placed(world)).toEqual([]));
    await new Promise(setImmediate);
    expect(world.store.endpointRows.has(endpoint.endpointId)).toBe(true);
    go(true);
    await restored;
    expect(world.store.endpointRows.has(endpoint.endpointId)).toBe(false);
  });

  it('is seen to once more where the kernel is long about it', async () => {
    const { world, endpoint } = await withJoined('lan');
    await world.driver.leave(endpoint, new FakeCall());
    world.restart();
    world.kernel.gone = async () => false;
    const undone = vi.fn<() => void>();
    const { state, runner, kernel, expectations } = world;
    const reconciler = new Reconciler({ state, runner, kernel, expectations, log: logLines().log, undone });
    await reconciler.restored();
    expect(undone).toHaveBeenCalledOnce();
    expect(world.store.endpointRows.get(endpoint.endpointId)).toMatchObject({ lifecycle: 'deleting' });
    await reconciler.run('again');
    expect(world.store.endpointRows.has(endpoint.endpointId)).toBe(false);
  });
});
