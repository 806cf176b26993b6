import { diff } from '../../src/host-state/diff.ts';
import { merge } from '../../src/host-state/merge.ts';
import type { Op } from '../../src/host-state/ops.ts';
import type { Network } from '../../src/model.ts';
import { desiredHost } from '../../src/modes/desired.ts';
import { apartFromEngine } from '../../src/reconcile/engine-bridges.ts';
import { Reconciler } from '../../src/reconcile/reconciler.ts';
import type { World } from '../driver/world.ts';
import { logLines } from './log-lines.ts';

/** A reconciler of the world's present process. */
export function reconcilerOf(world: World) {
  const { state, runner, kernel, expectations } = world;
  const { log, lines } = logLines();
  return { reconciler: new Reconciler({ state, runner, kernel, expectations, log }), lines };
}

/** The steps that would still be needed to bring the host to what the store says, links in containers counted in. */
export async function stepsLeft(world: World): Promise<Op[]> {
  const { state, kernel } = world;
  const networks: Network[] = state.networks();
  const foreign = networks.flatMap(n => (n.base.kind === 'foreign' ? [n.base.link] : []));
  const desired = merge([
    desiredHost(networks, network => state.endpointsOf(network.id), await kernel.facts(foreign)),
    apartFromEngine(await kernel.links()),
  ]);
  const inside = [...kernel.sandboxes.values()].flatMap(links => [...links.values()]);
  const observed = await kernel.observe(desired);
  return diff(desired, { ...observed, links: [...observed.links, ...inside] });
}

/** The marks of the links that are there, in the host or in a container. */
export const marksThere = (world: World): Set<string> =>
  new Set([
    ...[...world.kernel.model.links.values()].map(link => link.alias),
    ...[...world.kernel.sandboxes.values()].flatMap(links => [...links.values()].map(link => link.alias)),
  ]);
