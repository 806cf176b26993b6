import { byKey } from './keys.ts';
import type { LinkChanges, Op } from './ops.ts';
import type { Link, Place } from './types.ts';

/** Where in a container a link, or its far end, is made. */
export const placeOf = (link: Link): Place | undefined =>
  link.kind === 'veth' || link.kind === 'macvlan' ? link.place : undefined;

/** The steps from some links to others: each of the three lists in the order in which it can be done. */
export function diffLinks(to: readonly Link[], from: readonly Link[]) {
  const wanted = byKey(to, link => link.name);
  const present = byKey(from, link => link.name);
  const remove: Extract<Op, { op: 'link.delete' }>[] = [];
  const add: Extract<Op, { op: 'link.add' }>[] = [];
  const set: Extract<Op, { op: 'link.set' }>[] = [];
  const remade = new Set<string>();

  for (const link of [...present.values()].sort(byDepth).reverse()) {
    const next = wanted.get(link.name);
    if (next === undefined || isOther(next, link)) remove.push(deletion(link));
  }
  for (const link of [...wanted.values()].sort(byDepth)) {
    const old = present.get(link.name);
    // The kernel removes a macvlan with its parent, so a remade parent takes its children along.
    const orphaned = link.kind === 'macvlan' && remade.has(link.parent);
    if (old === undefined || isOther(link, old) || orphaned) {
      add.push({ op: 'link.add', link });
      remade.add(link.name);
      continue;
    }
    const changes = linkChanges(link, old, remade);
    if (Object.keys(changes).length > 0) set.push({ op: 'link.set', link, changes });
  }
  return { remove, add, set };
}

function deletion(link: Link): Extract<Op, { op: 'link.delete' }> {
  const place = placeOf(link);
  return { op: 'link.delete', name: link.name, alias: link.alias, ...(place === undefined ? {} : { place }) };
}

/** Bridges and dummies stand by themselves, the rest hangs on them. */
const byDepth = (a: Link, b: Link): number => depth(a) - depth(b);
const depth = (link: Link): number => (link.kind === 'bridge' || link.kind === 'dummy' ? 0 : 1);

/** Differences that no change in place mends: another kind of link, another owner, another parent. */
function isOther(a: Link, b: Link): boolean {
  if (a.kind !== b.kind || a.alias !== b.alias) return true;
  if (a.kind === 'macvlan' && b.kind === 'macvlan')
    return a.parent !== b.parent || a.macvlanMode !== b.macvlanMode;
  return false;
}

function linkChanges(to: Link, from: Link, remade: ReadonlySet<string>): LinkChanges {
  const changes: { -readonly [K in keyof LinkChanges]: LinkChanges[K] } = {};
  if (to.up !== from.up) changes.up = to.up;
  if (to.mtu !== undefined && to.mtu !== from.mtu) changes.mtu = to.mtu;
  // A macvlan's MAC is what its neighbours hold. A shim's is derived from its parent's, and a parent that is a bridge
  // changes its own with its ports: the shim keeps the one it was born with.
  if (to.kind !== 'macvlan' && to.mac !== undefined && to.mac !== from.mac) changes.mac = to.mac;
  if (to.kind === 'veth' && from.kind === 'veth') {
    if (to.master !== from.master || (to.master !== undefined && remade.has(to.master))) {
      changes.master = to.master ?? null;
    }
    const portRemade = changes.master !== undefined;
    if (
      to.master !== undefined &&
      ((to.isolated ?? false) !== (from.isolated ?? false) || (portRemade && to.isolated))
    ) {
      changes.isolated = to.isolated ?? false;
    }
    if (
      to.master !== undefined &&
      ((to.hairpin ?? false) !== (from.hairpin ?? false) || (portRemade && to.hairpin))
    ) {
      changes.hairpin = to.hairpin ?? false;
    }
  }
  return changes;
}
