import { livenessOf } from '../driver/liveness.ts';
import { diff } from '../host-state/diff.ts';
import { endpointMark, isMarked } from '../host-state/mark.ts';
import { containerLinkName } from '../host-state/names.ts';
import type { Op } from '../host-state/ops.ts';
import { EMPTY, type HostState } from '../host-state/types.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Endpoint } from '../model.ts';
import { desiredHost } from '../modes/desired.ts';
import type { Saved } from './saved.ts';

/** What is undone step by step: rules go with their tables, kernel parameters stay. */
const UNDONE: ReadonlySet<Op['op']> = new Set([
  'link.delete',
  'address.delete',
  'route.delete',
  'neighbour.delete',
  'redirect.delete',
  'flows.forget',
]);

/**
 * The steps that leave nothing of tsnet's: of what bears its mark on the host, whoever made it, and of what the containers of
 * saved networks have been given.
 */
export async function stepsToNothing(kernel: Kernel, saved: Saved): Promise<Op[]> {
  const joined = saved.endpoints.filter(endpoint => endpoint.joined);
  const desired = await desiredOf(kernel, saved, joined);
  const moved = await movedLinks(kernel, joined);
  const { residents, redirects } = desired;
  const observed = await kernel.observe({ ...EMPTY, residents, redirects });
  const inside = desired.links.filter(link => 'place' in link && link.kind === 'macvlan');
  const ops = diff(EMPTY, { ...observed, links: [...observed.links, ...inside] });
  return [...moved, ...ops].filter(({ op }) => UNDONE.has(op));
}

/** As if everything saved was to be there, also what was about to be removed. */
async function desiredOf(kernel: Kernel, saved: Saved, joined: readonly Endpoint[]): Promise<HostState> {
  const live = { lifecycle: 'live' } as const;
  const parents = saved.networks.flatMap(({ base }) => (base.kind === 'foreign' ? [base.link] : []));
  return desiredHost(
    saved.networks.map(network => ({ ...network, ...live })),
    ({ id }) => joined.filter(one => one.networkId === id).map(endpoint => ({ ...endpoint, ...live })),
    await kernel.facts(new Set(parents)),
  );
}

/** Links that the engine has moved into containers: it would lay them back onto the host, where nobody removes them. */
async function movedLinks(kernel: Kernel, joined: readonly Endpoint[]): Promise<Op[]> {
  const ops: Op[] = [];
  for (const [endpoint, liveness] of await livenessOf(joined, kernel)) {
    const { sandbox, inside } = endpoint;
    if (liveness !== 'sandbox' || sandbox === undefined || inside !== undefined) continue;
    const alias = endpointMark(endpoint.networkId, endpoint.id);
    const link = (await kernel.sandboxLinks(sandbox))?.find(one => one.alias === alias);
    if (link === undefined) continue;
    const place = { sandbox, name: link.name };
    ops.push({ op: 'link.delete', name: containerLinkName(endpoint.id), alias, place });
  }
  return ops;
}

/** Links on the host of networks that the state does not know: it was lost, or they belong to a tsnet with another one. */
export async function strangersLinks(kernel: Kernel, { networks }: Saved): Promise<string[]> {
  const known = new Set(networks.map(({ id }) => id));
  return (await kernel.links()).flatMap(({ name, alias }) => {
    const id = networkOfMark(alias);
    return id === undefined || known.has(id) ? [] : [name];
  });
}

/** Shims, and what was never finished, are no network's. */
const networkOfMark = (alias = ''): string | undefined =>
  isMarked(alias) ? /^\w+:([0-9a-z]{25,64})(?::|$)/.exec(alias)?.[1] : undefined;
