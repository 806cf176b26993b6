import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TsnetError } from '../../src/errors.ts';
import { endpointMark } from '../../src/host-state/mark.ts';
import { containerLinkName, portName } from '../../src/host-state/names.ts';
import type { Endpoint } from '../../src/model.ts';
import { Crash } from '../driver/fuse.ts';
import {
  endpointOn,
  FakeCall,
  join,
  NETWORK_NAMES,
  NETWORKS,
  type NetworkName,
  sandboxOf,
  World,
} from '../driver/world.ts';
import { marksThere, reconcilerOf, stepsLeft } from './restore.ts';

type Action = 'network' | 'no network' | 'endpoint' | 'join' | 'start' | 'leave' | 'no endpoint';
interface Command {
  readonly action: Action;
  readonly name: NetworkName;
  readonly number: number;
}

const command: fc.Arbitrary<Command> = fc.record({
  action: fc.constantFrom<Action>(
    'endpoint',
    'join',
    'start',
    'leave',
    'no endpoint',
    'no network',
    'network',
  ),
  name: fc.constantFrom(...NETWORK_NAMES),
  number: fc.integer({ min: 1, max: 2 }),
});

/** What an engine does, in its order: most lives are whole, some begin or end in the middle. */
const life = fc
  .record({
    name: fc.constantFrom(...NETWORK_NAMES),
    number: fc.integer({ min: 1, max: 2 }),
    from: fc.nat(2),
    to: fc.integer({ min: 3, max: 7 }),
  })
  .map(({ name, number, from, to }) =>
    (['network', 'endpoint', 'join', 'start', 'leave', 'no endpoint', 'no network'] as const)
      .slice(from === 0 ? 0 : from - 1, to)
      .map(action => ({ action, name, number })),
  );
const commands = fc
  .array(fc.oneof({ weight: 3, arbitrary: life }, { weight: 1, arbitrary: command.map(c => [c]) }), {
    minLength: 1,
    maxLength: 6,
  })
  .map(lives => lives.flat());

async function carryOut(world: World, { action, name, number }: Command): Promise<void> {
  const { driver, kernel } = world;
  const endpoint = endpointOn(name, number);
  const sandbox = sandboxOf(endpoint.endpointId);
  switch (action) {
    case 'network':
      return driver.createNetwork(NETWORKS[name], new FakeCall());
    case 'no network':
      // The engine does not remove a network that a running container is on.
      for (const each of [1, 2]) kernel.moveOut(sandboxOf(endpointOn(name, each).endpointId));
      return driver.deleteNetwork(NETWORKS[name].networkId, new FakeCall());
    case 'endpoint':
      await driver.createEndpoint(endpoint, new FakeCall());
      return;
    case 'join':
      await join(world, endpoint);
      return;
    case 'start': {
      // Between Join and Leave.
      const row = world.store.endpointRows.get(endpoint.endpointId);
      if (row?.sandbox === undefined || row.left === true) return;
      return kernel.moveIn(containerLinkName(endpoint.endpointId), sandbox);
    }
    case 'leave':
      await driver.leave(endpoint, new FakeCall());
      return kernel.moveOut(sandbox);
    case 'no endpoint':
      kernel.moveOut(sandbox);
      return driver.deleteEndpoint(endpoint, new FakeCall());
  }
}

async function run(world: World, list: readonly Command[]): Promise<void> {
  for (const one of list) {
    if (world.fuse.dead) return;
    try {
      await carryOut(world, one);
    } catch (error) {
      if (!(error instanceof TsnetError || error instanceof Crash)) throw error;
    }
  }
}

const liveJoined = (world: World): Endpoint[] =>
  [...world.store.endpointRows.values()].filter(
    e => e.joined && e.lifecycle === 'live' && world.store.networkRows.get(e.networkId)?.lifecycle === 'live',
  );
const markOf = (endpoint: Endpoint) => endpointMark(endpoint.networkId, endpoint.id);

/** Restores, and sees that row and host agree, that nothing living was lost, and that nothing is left to do. */
async function expectRestored(world: World): Promise<void> {
  const marks = marksThere(world);
  // One that was left is the engine's no more: it may be removed, whether its DeleteEndpoint was heard or not.
  const living = liveJoined(world).filter(e => e.left === undefined && marks.has(markOf(e)));
  const networks = [...world.store.networkRows.values()].filter(n => n.lifecycle === 'live').map(n => n.id);
  const foreign = [...world.kernel.foreign];

  const { reconciler, lines } = reconcilerOf(world);
  await reconciler.restored();
  expect(lines.filter(line => line.startsWith('error'))).toEqual([]);
  expect(await stepsLeft(world)).toEqual([]);
  expect([...world.store.networkRows.keys()].sort()).toEqual(networks.sort());
  const rows = [...world.store.endpointRows.values()];
  for (const row of rows) expect(row.lifecycle).toBe('live');
  for (const endpoint of living) expect(rows).toContainEqual(endpoint);
  const after = marksThere(world);
  for (const row of rows) if (row.joined) expect(after).toContain(markOf(row));
  expect([...world.kernel.foreign]).toEqual(foreign);

  await reconciler.run('again');
  expect(world.kernel.applied.at(-1)).toEqual([]);
}

describe('a restart', { timeout: 60_000 }, () => {
  it('has nothing to mend after calls that were all carried out', async () => {
    await fc.assert(
      fc.asyncProperty(commands, async list => {
        const world = new World();
        await run(world, list);
        // The engine always sends it after Leave.
        const left = [...world.store.endpointRows.values()].filter(row => row.left === true);
        for (const { networkId, id } of left) {
          await world.driver.deleteEndpoint({ networkId, endpointId: id }, new FakeCall());
        }
        expect(await stepsLeft(world)).toEqual([]);
        const store = world.store.rows();
        world.restart();
        await expectRestored(world);
        expect(world.kernel.applied.flat()).toHaveLength(world.kernel.applied.slice(0, -2).flat().length);
        expect(world.store.rows()).toEqual(store);
      }),
      { numRuns: 150 },
    );
  });

  it('restores what the store says, wherever the process ended, be it in the restoring itself', async () => {
    let crashes = 0;
    await fc.assert(
      fc.asyncProperty(
        commands,
        fc.integer({ min: 1, max: 60 }),
        fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 3 }),
        fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 2 }),
        fc.boolean(),
        async (list, crashAt, failAt, again, intact) => {
          const world = new World();
          world.fuse.arm({ crashAt, failAt });
          await run(world, list);
          if (world.fuse.dead) crashes += 1;
          world.kernel.model.firewallIntact = intact;
          for (const at of again) {
            world.restart();
            world.fuse.arm({ crashAt: at });
            await reconcilerOf(world)
              .reconciler.restored()
              .catch((error: unknown) => expect(error).toBeInstanceOf(Crash));
          }
          world.restart();
          await expectRestored(world);
        },
      ),
      { numRuns: 400 },
    );
    expect(crashes).toBeGreaterThan(40);
  });

  it('restores what was removed behind its back, and forgets those who died with it', async () => {
    await fc.assert(
      fc.asyncProperty(
        commands,
        fc.array(fc.nat(), { maxLength: 4 }),
        fc.array(fc.constantFrom(...NETWORK_NAMES), { maxLength: 2 }),
        fc.boolean(),
        async (list, picks, dying, reboot) => {
          const world = new World();
          await run(world, list);
          for (const pick of picks) {
            const names = [...world.kernel.model.links.keys()];
            const name = names[pick % Math.max(names.length, 1)];
            if (name !== undefined) world.kernel.cut(name);
          }
          for (const name of dying) {
            const { endpointId } = endpointOn(name, 1);
            world.kernel.die(sandboxOf(endpointId), portName(endpointId));
          }
          if (reboot) world.kernel.reboot();
          world.restart();
          await expectRestored(world);
          if (reboot) for (const row of world.store.endpointRows.values()) expect(row.joined).toBe(false);
        },
      ),
      { numRuns: 200 },
    );
  });
});
