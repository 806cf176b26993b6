import { TsnetError } from '../../errors.ts';
import type { LinkChanges } from '../../host-state/ops.ts';
import type { Link, Place } from '../../host-state/types.ts';
import { hasCode } from '../netlink/netlink-error.ts';
import type { Rtnetlink } from '../rtnetlink/rtnetlink.ts';
import { findEnd, taken } from '../sandbox/end.ts';
import { enter } from '../sandbox/enter.ts';

/**
 * Makes a link, or puts right the one that an earlier attempt has left.
 * @returns whether it was made
 * @throws TsnetError LINK_TAKEN
 */
export async function addLink(rt: Rtnetlink, link: Link): Promise<boolean> {
  if (link.kind === 'macvlan' && link.place !== undefined && (await isPlaced(link, link.place))) return false;
  try {
    await rt.addLink(link);
    return true;
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
    const existing = await rt.link(link.name);
    // It is the other end, in the container, that is in the way.
    if (existing === undefined && link.kind === 'veth' && link.place !== undefined)
      throw taken(link.place.name, error);
    if (existing === undefined) throw error;
    if (existing.alias !== link.alias) {
      throw new TsnetError('LINK_TAKEN', `link ${link.name} exists already`, { cause: error });
    }
    // Made by an earlier attempt at the same thing, perhaps not to the end; or for another network that shares it: then containers go
    // by it, and down would take their routes.
    const up = link.up ? { up: true } : {};
    const mtu = link.mtu === undefined ? {} : { mtu: link.mtu };
    const port = link.kind === 'veth' ? portChanges(link) : {};
    await setLink(rt, link, { ...up, ...mtu, ...port });
    return false;
  }
}

/** Whether an earlier attempt has made it: nothing of it is on the host that would be in the way of a second one. */
async function isPlaced({ name, alias }: Link, place: Place): Promise<boolean> {
  using inside = enter(place.sandbox);
  if (inside === undefined) return false;
  const isThere = [name, place.name].some(one => inside.rtnetlink.index(one) !== undefined);
  if (!isThere) return false;
  const end = { name: place.name, madeAs: name, alias };
  return (await findEnd(inside.rtnetlink, end)) !== undefined;
}

const portChanges = ({ master, isolated, hairpin }: LinkChanges): LinkChanges => ({
  ...(master === undefined ? {} : { master }),
  ...(isolated === undefined ? {} : { isolated }),
  ...(hairpin === undefined ? {} : { hairpin }),
});

/** @throws TsnetError KERNEL when the link, or the bridge that it is to be a port of, is not there */
export async function setLink(rt: Rtnetlink, link: Link, changes: LinkChanges): Promise<void> {
  const { master, ...rest } = changes;
  const index = indexOf(rt, link.name);
  const port = master === undefined ? {} : { master: master === null ? 0 : indexOf(rt, master) };
  await rt.setLink(index, { ...rest, ...port });
}

/** @throws TsnetError KERNEL when there is no link of the name */
export function indexOf(rt: Rtnetlink, name: string): number {
  const index = rt.index(name);
  if (index === undefined) throw new TsnetError('KERNEL', `link ${name}: ENODEV there is no such link`);
  return index;
}

/** Does nothing where there is no link of the name. */
export async function ifPresent(
  rt: Rtnetlink,
  name: string,
  action: (index: number) => Promise<void>,
): Promise<void> {
  const index = rt.index(name);
  if (index !== undefined) await action(index);
}
