import { familyOf } from '../addresses.ts';
import { diffLinks, placeOf } from './diff-links.ts';
import { flowsAfter, flowsOfResident } from './flows.ts';
import {
  addressKey,
  byKey,
  elementKey,
  holdKey,
  neighbourKey,
  placeKey,
  redirectKey,
  routeKey,
} from './keys.ts';
import type { Op } from './ops.ts';
import type { Address, FirewallElement, HostState, Link, Observed, PortHold } from './types.ts';

/**
 * The steps from one host state to another, in an order in which each can be done: ports of the host and the firewall
 * first when something is added (a link must not carry a packet before its rules stand) and last when it is removed; a
 * link after the one that it hangs on, and away before it.
 *
 * @param to what is wanted
 * @param from what is there: an observation of the kernel, or an earlier desired state
 */
export function diff(to: HostState, from: HostState | Observed): Op[] {
  const links = diffLinks(to.links, from.links);
  const gone = new Set(links.remove.map(op => op.name));
  const fresh = new Set(links.add.map(op => op.link.name));
  // What sits on a removed link goes with it; what sits on a remade one has to be made anew.
  const there = <T extends { link: string }>(items: readonly T[]) =>
    items.filter(item => !gone.has(item.link) && !fresh.has(item.link));

  const addresses = compare(to.addresses, there(from.addresses), addressKey, same);
  const emptied = emptiedLinks(from.addresses, addresses.remove);
  // Made anew after the last address has gone; what is not wanted goes before it, one by one.
  const beside = <T extends { link: string }>(
    wanted: readonly T[],
    present: readonly T[],
    key: (item: T) => string,
    addressOf: (item: T) => string,
  ) => {
    const all = there(present);
    const staying = all.filter(item => !emptied.has(item.link) || familyOf(addressOf(item)) === 6);
    return { add: compare(wanted, staying, key, same).add, remove: compare(wanted, all, key, same).remove };
  };
  const routes = beside(to.routes, from.routes, routeKey, route => route.destination);
  const neighbours = beside(to.neighbours, from.neighbours, neighbourKey, entry => entry.address);
  const before = byKey(from.sysctls, s => s.path);
  const onFresh = (path: string) => path.split('/').some(part => fresh.has(part));
  const sysctls = to.sysctls.filter(s => before.get(s.path)?.value !== s.value || onFresh(s.path));
  const broken = 'firewallIntact' in from && !from.firewallIntact;
  const changed = compare(to.firewall, from.firewall, elementKey, sameValue);
  const elements = broken ? { add: [], replace: [], remove: [] } : changed;
  const holds = compare(to.holds, from.holds, holdKey, same);
  // An address that stands for all cannot be bound beside one of them: what goes of the same port goes first.
  const comes = new Set(holds.add.map(portOf));
  const inTheWay = holds.remove.filter(hold => comes.has(portOf(hold)));
  const freshEnds = new Set(links.add.flatMap(({ link }) => placeOf(link) ?? []).map(placeKey));
  const ends = compare(
    to.ends,
    from.ends.filter(end => !freshEnds.has(placeKey(end))),
    placeKey,
    same,
  );
  const redirects = compare(to.redirects, from.redirects, redirectKey, same);
  const leaving = from.residents.filter(address => !to.residents.includes(address));
  const coming = to.residents.filter(address => !from.residents.includes(address));

  // A link with settings of its own stays down until they are made: an IPv6 link that is up for an instant with
  // accept_ra=1 has learned a default route in it.
  const configured = (link: Link) => link.up && to.sysctls.some(s => s.path.split('/').includes(link.name));

  const ops: Op[] = [
    ...(coming.length > 0 ? [{ op: 'flows.settle', containers: coming } as const] : []),
    ...[...holds.replace, ...inTheWay].map((hold): Op => ({ op: 'hold.delete', hold })),
    ...holds.add.map((hold): Op => ({ op: 'hold.add', hold })),
  ];
  if (broken) ops.push({ op: 'firewall.rebuild', elements: to.firewall, guard: to.guard });
  else if (!same(to.guard ?? {}, from.guard ?? {})) {
    ops.push({ op: 'firewall.guard', guard: to.guard });
  }
  if (elements.add.length > 0) ops.push({ op: 'firewall', add: elements.add, delete: elements.replace });
  ops.push(
    ...redirects.add.map((redirect): Op => ({ op: 'redirect.set', redirect })),
    ...redirects.remove.map((redirect): Op => ({ op: 'redirect.delete', redirect })),
    // A route into a shim without its neighbour would let the host ask the LAN: see shim.ts.
    ...routes.remove.map((route): Op => ({ op: 'route.delete', route })),
    ...neighbours.remove.map((neighbour): Op => ({ op: 'neighbour.delete', neighbour })),
    ...addresses.remove.map((address): Op => ({ op: 'address.delete', address })),
    ...links.remove,
    ...links.add.map(
      (op): Op => (configured(op.link) ? { op: 'link.add', link: { ...op.link, up: false } } : op),
    ),
    ...links.set.flatMap(op => (configured(op.link) ? withoutUp(op) : [op])),
    ...sysctls.map((sysctl): Op => ({ op: 'sysctl.set', sysctl })),
    ...[...links.add, ...links.set.filter(op => op.changes.up === true)]
      .filter(op => configured(op.link))
      .map((op): Op => ({ op: 'link.set', link: op.link, changes: { up: true } })),
    ...ends.add.map((end): Op => ({ op: 'end.set', end })),
    ...addresses.add.map((address): Op => ({ op: 'address.add', address })),
    ...neighbours.add.map((neighbour): Op => ({ op: 'neighbour.set', neighbour })),
    ...routes.add.map((route): Op => ({ op: 'route.set', route })),
  );
  if (elements.remove.length > 0) ops.push({ op: 'firewall', add: [], delete: elements.remove });
  ops.push(
    ...holds.remove.filter(hold => !comes.has(portOf(hold))).map((hold): Op => ({ op: 'hold.delete', hold })),
  );
  const flows = [
    // Of a table that was away nobody knows what began without it.
    ...flowsAfter(broken ? to.firewall : changed.add, [...changed.replace, ...changed.remove]),
    ...leaving.map(flowsOfResident),
  ];
  if (flows.length > 0) ops.push({ op: 'flows.forget', flows });
  return ops;
}

/** Links that lose all their IPv4 addresses: with the last one the kernel drops their IPv4 routes and neighbours (fib_disable_ip()). */
function emptiedLinks(present: readonly Address[], removed: readonly Address[]): ReadonlySet<string> {
  const numbered = (addresses: readonly Address[]) =>
    new Set(addresses.filter(({ address }) => familyOf(address) === 4).map(({ link }) => link));
  const goes = new Set(removed.map(addressKey));
  const kept = numbered(present.filter(address => !goes.has(addressKey(address))));
  return new Set([...numbered(removed)].filter(link => !kept.has(link)));
}

const portOf = ({ protocol, port }: PortHold): string => `${protocol} ${port}`;

/** The rest of a change that sets a link up, if there is any. */
function withoutUp({ op, link, changes }: Extract<Op, { op: 'link.set' }>): Op[] {
  const { up, ...rest } = changes;
  const before = up === false ? changes : rest;
  return Object.keys(before).length === 0 ? [] : [{ op, link, changes: before }];
}

function compare<T>(
  to: readonly T[],
  from: readonly T[],
  key: (item: T) => string,
  equal: (a: T, b: T) => boolean,
): { readonly add: readonly T[]; readonly replace: readonly T[]; readonly remove: readonly T[] } {
  // Of most sorts one endpoint has none.
  if (to.length + from.length === 0) return { add: [], replace: [], remove: [] };
  const wanted = byKey(to, key);
  const present = byKey(from, key);
  const add = [...wanted].filter(([k, item]) => {
    const old = present.get(k);
    return old === undefined || !equal(item, old);
  });
  const remove = [...present].filter(([k]) => !wanted.has(k));
  return {
    add: add.map(([, item]) => item),
    /** What stands in the place of something that is added. */
    replace: add.flatMap(([k]) => present.get(k) ?? []),
    remove: remove.map(([, item]) => item),
  };
}

const sameValue = (a: FirewallElement, b: FirewallElement): boolean =>
  a.value?.join(' ') === b.value?.join(' ');
const same = (a: object, b: object): boolean => canonical(a) === canonical(b);
const canonical = (item: object): string =>
  JSON.stringify(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)));
