import { renderGuard, renderTable } from '../../firewall/render.ts';
import { placeOf } from '../../host-state/diff-links.ts';
import { placeKey } from '../../host-state/keys.ts';
import type { Op } from '../../host-state/ops.ts';
import type { Link, SandboxEnd } from '../../host-state/types.ts';
import type { Advertiser } from '../advertise/advertiser.ts';
import type { FlowSweeper } from '../conntrack/sweeper.ts';
import type { Nft } from '../nft/nft.ts';
import type { PortHolds } from '../ports/port-holds.ts';
import { removeRedirect, setRedirect } from '../redirects/redirects.ts';
import type { Reaper } from '../rtnetlink/reaper.ts';
import type { Rtnetlink } from '../rtnetlink/rtnetlink.ts';
import { setEnd } from '../sandbox/end.ts';
import { enter, type Inside } from '../sandbox/enter.ts';
import { writeSysctl } from '../sysctl.ts';
import { addLink, ifPresent, indexOf, setLink } from './link-steps.ts';

/** The ways into the kernel that steps go by. */
export interface Ways {
  readonly rtnetlink: Rtnetlink;
  readonly nft: Nft;
  readonly holds: PortHolds;
  readonly flows: FlowSweeper;
  readonly reaper: Reaper;
  readonly advertiser: Advertiser;
}

/**
 * One step of a diff as one or two requests to the kernel.
 * @param inside the ways into the sandbox that the step is for, where they are open already; closed here
 * @param made places of the links that earlier steps have made; gets what this one makes
 */
export async function step(ways: Ways, op: Op, inside?: Inside, made = new Set<string>()): Promise<void> {
  const { rtnetlink: rt, nft, holds, flows, reaper, advertiser } = ways;
  switch (op.op) {
    case 'link.add':
      // Only then: what is handed to a worker at once leaves time to prepare the next step (see ahead.ts).
      if (reaper.isDeleting(op.link.name)) await reaper.settled(op.link.name);
      return makeLink(rt, op.link, made);
    case 'link.set':
      return setLink(rt, op.link, op.changes);
    case 'link.delete':
      // Somebody else's link by this name is not a failure: what was tsnet's is gone.
      if (op.place !== undefined) advertiser.stop(op.place);
      return reaper.delete(op.name, op.alias, op.place);
    case 'end.set':
      return putEnd(ways, op.end, made.has(placeKey(op.end)), inside);
    case 'address.add':
      return rt.addAddress(indexOf(rt, op.address.link), op.address);
    case 'address.delete':
      return ifPresent(rt, op.address.link, index => rt.deleteAddress(index, op.address));
    case 'route.set':
      return rt.replaceRoute(indexOf(rt, op.route.link), op.route);
    case 'route.delete':
      return ifPresent(rt, op.route.link, index => rt.deleteRoute(index, op.route));
    case 'neighbour.set':
      return rt.replaceNeighbour(indexOf(rt, op.neighbour.link), op.neighbour);
    case 'neighbour.delete':
      return ifPresent(rt, op.neighbour.link, index => rt.deleteNeighbour(index, op.neighbour));
    case 'sysctl.set':
      return writeSysctl(op.sysctl.path, op.sysctl.value);
    case 'firewall.rebuild':
      return nft.run(renderTable(op.elements, op.guard));
    case 'firewall.guard':
      return nft.run(renderGuard(op.guard));
    case 'firewall':
      return nft.elements.change(op.add, op.delete);
    case 'hold.add':
      return holds.add(op.hold);
    case 'hold.delete':
      return holds.delete(op.hold);
    case 'redirect.set':
      return setRedirect(op.redirect);
    case 'redirect.delete':
      return removeRedirect(op.redirect);
    case 'flows.forget':
      return flows.forget(op.flows);
    case 'flows.settle':
      return flows.settled(op.containers);
  }
}

async function makeLink(rt: Rtnetlink, link: Link, made: Set<string>): Promise<void> {
  const place = placeOf(link);
  if ((await addLink(rt, link)) && place !== undefined) made.add(placeKey(place));
}

async function putEnd(
  { advertiser }: Ways,
  end: SandboxEnd,
  isNew: boolean,
  entered = enter(end.sandbox),
): Promise<void> {
  using inside = entered;
  if (inside === undefined) return;
  const index = await setEnd(inside, end, isNew);
  advertiser.advertise({ ...end, ...end.announce, index });
}
