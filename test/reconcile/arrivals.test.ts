import { describe, expect, it } from 'vitest';
import { containerLinkName } from '../../src/host-state/names.ts';
import { describe as wordsOf } from '../../src/host-state/ops.ts';
import type { PortBinding } from '../../src/protocol/types.ts';
import { Arrivals } from '../../src/reconcile/arrivals.ts';
import { endpointOn, FakeCall, join, NETWORKS, sandboxOf, World } from '../driver/world.ts';
import { logLines } from './log-lines.ts';
import { reconcilerOf } from './restore.ts';

const PORT: PortBinding = { protocol: 'tcp', port: 80, hostPort: 8080, hostPortEnd: 8080 };
const request = endpointOn('lan', 1);
const link = containerLinkName(request.endpointId);
const sandbox = sandboxOf(request.endpointId);

/** A container whose engine made no sandbox before Join, so that its redirect found none. */
async function waiting() {
  const world = new World();
  await world.driver.createNetwork(NETWORKS.lan, new FakeCall());
  await world.driver.createEndpoint(request, new FakeCall());
  await join(world, request, new FakeCall(), [PORT]);
  world.kernel.model.redirects.clear();
  const repairs: string[] = [];
  const { log, lines } = logLines();
  const { state, runner, kernel } = world;
  const repair = (loss: string) => void repairs.push(loss);
  const arrivals = new Arrivals({ state, runner, kernel, repair, log });
  const before = kernel.applied.length;
  const steps = () => kernel.applied.slice(before).flatMap(ops => ops.flatMap(wordsOf));
  return { world, arrivals, repairs, lines, steps };
}

describe('a link that has come into its container', () => {
  it('has its ports redirected there, by this one step', async () => {
    const { world, arrivals, repairs, lines, steps } = await waiting();
    world.kernel.moveIn(link, sandbox);
    await arrivals.settle(link);
    expect(steps()).toEqual([`~redirect of 2 port(s) in ${sandbox}`]);
    expect([...world.kernel.model.redirects.values()]).toMatchObject([
      {
        sandbox,
        endpointId: request.endpointId,
        rules: [
          { from: 8080, to: 80 },
          { from: 8080, to: 80 },
        ],
      },
    ]);
    expect(repairs).toEqual([]);
    expect(lines).toEqual(['info: endpoint 198.18.0.11/24 on network dddddddddddd is in its container']);
    await reconcilerOf(world).reconciler.run('nothing is left for it');
    expect(steps()).toHaveLength(1);
  });

  it('waits for what is done to its network', async () => {
    const { world, arrivals, steps } = await waiting();
    world.kernel.moveIn(link, sandbox);
    const { promise, resolve } = Promise.withResolvers<void>();
    void world.runner.run([`network ${request.networkId}`], () => promise);
    const settled = arrivals.settle(link);
    await new Promise(setImmediate);
    expect(steps()).toEqual([]);
    resolve();
    await settled;
    expect(steps()).toHaveLength(1);
  });
});

describe('the whole host is put right', () => {
  const loss = `link ${link} moved into its container`;

  it('where the link is gone with its container', async () => {
    const { world, arrivals, repairs, steps } = await waiting();
    world.kernel.cut(link);
    await arrivals.settle(link);
    expect([repairs, steps()]).toEqual([[loss], []]);
  });

  it('where nobody knows the link', async () => {
    const { arrivals, repairs } = await waiting();
    await arrivals.settle('tsc000000000');
    expect(repairs).toEqual(['link tsc000000000 moved into its container']);
  });

  it('where the ports cannot be redirected', async () => {
    const { world, arrivals, repairs, lines } = await waiting();
    world.kernel.moveIn(link, sandbox);
    world.fuse.arm({ failAt: [1] });
    await arrivals.settle(link);
    expect(repairs).toEqual([loss]);
    expect(lines).toMatchObject([expect.stringMatching(new RegExp(`^warn: ${loss}: `))]);
  });
});
