import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { endpointMark, networkMark, shimMark } from '../../src/host-state/mark.ts';
import { containerLinkName } from '../../src/host-state/names.ts';
import { UNFINISHED_ALIAS } from '../../src/kernel/rtnetlink/unfinished.ts';
import { Sweep } from '../../src/orphans/sweep.ts';
import { attach, endpointOn, NETWORKS, sandboxOf, World } from '../driver/world.ts';
import { logLines } from '../reconcile/log-lines.ts';
import { reconcilerOf } from '../reconcile/restore.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

const { endpointId } = endpointOn('lan', 1);
const LAN = NETWORKS.lan.networkId;

/** A container on the LAN, with its link inside it. */
async function setUp() {
  const world = new World();
  await attach(world, 'lan', 1);
  world.kernel.moveIn(containerLinkName(endpointId), sandboxOf(endpointId));
  const { reconciler } = reconcilerOf(world);
  const { log, lines } = logLines();
  const repair = vi.fn((loss: string) => void reconciler.run(loss));
  const isThere = (path: string) => world.kernel.sandboxes.has(path);
  const { state, kernel } = world;
  return { world, repair, lines, sweep: new Sweep({ state, kernel, isThere, repair, log }) };
}

describe('an endpoint whose container is gone without a word', () => {
  it('is collected when the kernel tells that a namespace is gone', async () => {
    const { world, sweep, repair } = await setUp();
    world.kernel.die(sandboxOf(endpointId), '');
    sweep.namespaceGone();
    await pass(250);
    expect(repair.mock.calls).toEqual([['endpoint 198.18.0.11/24 ended with its container']]);
    expect(world.state.endpointsOf(LAN)).toEqual([]);
    expect(world.kernel.model.routes.size).toBe(0);
  });

  it('is looked for once, however many namespaces have gone', async () => {
    const { world, sweep, repair } = await setUp();
    world.kernel.die(sandboxOf(endpointId), '');
    for (let k = 0; k < 100; k++) sweep.namespaceGone();
    await pass(10_000);
    expect(repair).toHaveBeenCalledTimes(1);
  });

  it('is another one than one whose container lives', async () => {
    const { sweep, repair } = await setUp();
    sweep.namespaceGone();
    await pass(250);
    expect(repair).not.toHaveBeenCalled();
  });

  it('is another one than one whose sandbox is yet to be made, as up to engine 27', async () => {
    const { world, sweep, repair } = await setUp();
    world.kernel.moveOut(sandboxOf(endpointId));
    sweep.namespaceGone();
    await pass(250);
    expect(repair).not.toHaveBeenCalled();
    expect(world.state.endpointsOf(LAN)).toHaveLength(1);
  });
});

describe('a link with the mark of an endpoint that there is not', () => {
  const stray = {
    kind: 'dummy',
    name: 'tscstray',
    alias: endpointMark(LAN, 'e'.repeat(64)),
    up: false,
  } as const;

  it('is removed when the kernel has told of it', async () => {
    const { world, sweep, repair } = await setUp();
    world.kernel.model.links.set(stray.name, stray);
    sweep.linkSet(stray.alias);
    await pass(2100);
    expect(repair.mock.calls).toEqual([['link tscstray belongs to nothing']]);
    expect(world.kernel.model.links.has(stray.name)).toBe(false);
  });

  it('is none when it is gone a moment later: the kernel tells of links that are being deleted, too', async () => {
    const { sweep, repair } = await setUp();
    sweep.linkSet(stray.alias);
    await pass(2100);
    expect(repair).not.toHaveBeenCalled();
  });

  it('is told from all others by its mark', async () => {
    const { world, sweep } = await setUp();
    const links = vi.spyOn(world.kernel, 'links');
    const own = endpointMark(LAN, endpointId);
    for (const alias of [undefined, '', 'eth0', own, networkMark(LAN), shimMark('eth0'), UNFINISHED_ALIAS])
      sweep.linkSet(alias);
    await pass(10_000);
    expect(links).not.toHaveBeenCalled();
  });
});

it('removes nothing because the store cannot be read', async () => {
  const { world, sweep, repair, lines } = await setUp();
  world.restart();
  world.store.unreadable = true;
  const { log } = logLines();
  const { state, kernel } = world;
  const blind = new Sweep({ state, kernel, isThere: () => false, repair, log });
  blind.linkSet(endpointMark(LAN, endpointId));
  blind.namespaceGone();
  sweep.namespaceGone();
  await pass(10_000);
  expect(repair).not.toHaveBeenCalled();
  expect(lines.filter(line => !line.startsWith('debug'))).toEqual([]);
});

it('looks no more when it is closed', async () => {
  const { world, sweep, repair } = await setUp();
  world.kernel.die(sandboxOf(endpointId), '');
  sweep.namespaceGone();
  sweep.close();
  sweep.namespaceGone();
  await pass(10_000);
  expect(repair).not.toHaveBeenCalled();
});
