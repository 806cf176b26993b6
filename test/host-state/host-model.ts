import { familyOf } from '../../src/addresses.ts';
import type { FlowMatch } from '../../src/host-state/flows.ts';
import {
  addressKey,
  byKey,
  elementKey,
  holdKey,
  neighbourKey,
  placeKey,
  redirectKey,
  routeKey,
} from '../../src/host-state/keys.ts';
import { type Op, portText } from '../../src/host-state/ops.ts';
import type {
  Address,
  FirewallElement,
  Guard,
  HostState,
  Link,
  Neighbour,
  Observed,
  Place,
  PortHold,
  Redirect,
  Route,
  SandboxEnd,
  VethLink,
} from '../../src/host-state/types.ts';
import { clashes } from './arbitrary.ts';

/** What the model refuses, as the kernel would. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

/**
 * A host as plain maps, with the kernel's rules as far as the order of steps depends on them: nothing hangs on a link
 * that is not there, what sits on a link goes with it, a macvlan goes with its parent, a port outlives its bridge, a
 * port of the host is bound once, a key of a map has one value.
 */
export class HostModel {
  readonly links: Map<string, Link>;
  readonly ends: Map<string, SandboxEnd>;
  readonly addresses: Map<string, Address>;
  readonly routes: Map<string, Route>;
  readonly neighbours: Map<string, Neighbour>;
  readonly sysctls: Map<string, string>;
  readonly firewall: Map<string, FirewallElement>;
  firewallIntact: boolean;
  guard: Guard | undefined;
  readonly holds: Map<string, PortHold>;
  readonly redirects: Map<string, Redirect>;
  readonly residents: Set<string>;
  /** What was said to `flows.forget`, in its order. */
  readonly forgotten: FlowMatch[] = [];
  /** Links that the host has and tsnet did not make, by name. */
  readonly #foreign: ReadonlySet<string>;
  /** Refuses to add what is there and to delete what is not. */
  readonly #strict: boolean;

  constructor(
    state: HostState | Observed,
    foreign: Iterable<string> = [],
    options: { strict?: boolean } = {},
  ) {
    this.links = byKey(state.links, link => link.name);
    this.ends = byKey(state.ends, placeKey);
    this.addresses = byKey(state.addresses, addressKey);
    this.routes = byKey(state.routes, routeKey);
    this.neighbours = byKey(state.neighbours, neighbourKey);
    this.sysctls = new Map(state.sysctls.map(s => [s.path, s.value]));
    this.firewall = byKey(state.firewall, elementKey);
    this.firewallIntact = !('firewallIntact' in state) || state.firewallIntact;
    this.guard = state.guard;
    this.holds = byKey(state.holds, holdKey);
    this.redirects = byKey(state.redirects, redirectKey);
    this.residents = new Set(state.residents);
    this.#foreign = foreign instanceof Set ? foreign : new Set(foreign);
    this.#strict = options.strict ?? true;
  }

  /** @throws Refused */
  step(op: Op): void {
    switch (op.op) {
      case 'link.add':
        this.#addLink(op.link);
        return;
      case 'link.set':
        this.#setLink(op);
        return;
      case 'link.delete': {
        const there = this.links.get(op.name);
        if (there?.alias === op.alias) this.drop(op.name);
        else if (this.#strict) throw new Refused(`${op.name} is not there to be deleted`);
        return;
      }
      case 'end.set':
        if (![...this.links.values()].some(link => isAt(link, op.end))) {
          throw new Refused(`nothing is in ${op.end.sandbox} as ${op.end.name}`);
        }
        this.ends.set(placeKey(op.end), op.end);
        return;
      case 'address.add':
        this.#needs(op.address.link);
        this.addresses.set(addressKey(op.address), op.address);
        return;
      case 'route.set':
        this.#needs(op.route.link);
        this.routes.set(routeKey(op.route), op.route);
        return;
      case 'neighbour.set':
        this.#needs(op.neighbour.link);
        this.neighbours.set(neighbourKey(op.neighbour), op.neighbour);
        return;
      case 'address.delete':
        this.#delete(this.addresses, addressKey(op.address));
        if (familyOf(op.address.address) === 4) this.#dropWithLastAddress(op.address.link);
        return;
      case 'route.delete':
        this.#delete(this.routes, routeKey(op.route));
        return;
      case 'neighbour.delete':
        this.#delete(this.neighbours, neighbourKey(op.neighbour));
        return;
      case 'sysctl.set': {
        const link = linkOfSysctl(op.sysctl.path);
        if (link !== undefined) this.#needs(link);
        this.sysctls.set(op.sysctl.path, op.sysctl.value);
        return;
      }
      case 'firewall.rebuild':
        this.firewall.clear();
        for (const element of op.elements) this.#addElement(element);
        this.guard = op.guard;
        this.firewallIntact = true;
        return;
      case 'firewall.guard':
        this.guard = op.guard;
        return;
      case 'firewall':
        for (const element of op.delete) this.#delete(this.firewall, elementKey(element));
        for (const element of op.add) this.#addElement(element);
        return;
      case 'hold.add':
        this.#hold(op.hold);
        return;
      case 'hold.delete':
        this.#delete(this.holds, holdKey(op.hold));
        return;
      case 'redirect.set':
        this.redirects.set(redirectKey(op.redirect), op.redirect);
        return;
      case 'redirect.delete':
        this.#delete(this.redirects, redirectKey(op.redirect));
        return;
      case 'flows.forget':
        this.forgotten.push(...op.flows);
        for (const { container, protocol } of op.flows)
          if (container !== undefined && protocol === undefined) this.residents.delete(container);
        return;
      case 'flows.settle':
        for (const container of op.containers) this.residents.add(container);
    }
  }

  has(name: string): boolean {
    return this.links.has(name) || this.#foreign.has(name);
  }

  /** Takes a link away with all that the kernel takes away with it. */
  drop(name: string): void {
    const link = this.links.get(name);
    for (const [key, end] of this.ends) if (link !== undefined && isAt(link, end)) this.ends.delete(key);
    this.links.delete(name);
    for (const items of [this.addresses, this.routes, this.neighbours]) {
      for (const [key, item] of items) if (item.link === name) items.delete(key);
    }
    for (const path of this.sysctls.keys()) if (linkOfSysctl(path) === name) this.sysctls.delete(path);
    this.dropHangingOn(name);
  }

  /** What the loss of a link does to those that hang on it. */
  dropHangingOn(name: string): void {
    for (const link of [...this.links.values()]) {
      if (link.kind === 'macvlan' && link.parent === name) this.drop(link.name);
      if (link.kind === 'veth' && link.master === name) this.links.set(link.name, withoutMaster(link));
    }
  }

  /** As an observation would find it: whose connections are tracked cannot be seen. */
  state(): Observed {
    return {
      links: [...this.links.values()],
      ends: [...this.ends.values()],
      addresses: [...this.addresses.values()],
      routes: [...this.routes.values()],
      neighbours: [...this.neighbours.values()],
      sysctls: [...this.sysctls].map(([path, value]) => ({ path, value })),
      firewall: [...this.firewall.values()],
      firewallIntact: this.firewallIntact,
      ...(this.guard === undefined ? {} : { guard: this.guard }),
      holds: [...this.holds.values()],
      redirects: [...this.redirects.values()],
      residents: [...this.residents],
    };
  }

  /** A link that is left by its last IPv4 address forgets all that is IPv4 (fib_inetaddr_event(), fib_disable_ip()). */
  #dropWithLastAddress(name: string): void {
    const is4 = (text: string) => familyOf(text) === 4;
    if ([...this.addresses.values()].some(({ link, address }) => link === name && is4(address))) return;
    for (const [key, { link, destination }] of this.routes)
      if (link === name && is4(destination)) this.routes.delete(key);
    for (const [key, { link, address }] of this.neighbours)
      if (link === name && is4(address)) this.neighbours.delete(key);
  }

  #addLink(link: Link): void {
    const there = this.links.get(link.name);
    if (this.#foreign.has(link.name)) throw new Refused(`${link.name} is somebody else's`);
    if (link.kind === 'macvlan') this.#needs(link.parent);
    if (link.kind === 'veth' && link.master !== undefined) this.#needs(link.master);
    if (there !== undefined && (this.#strict || there.alias !== link.alias)) {
      throw new Refused(`${link.name} exists already`);
    }
    this.links.set(link.name, link);
  }

  #setLink({ link, changes }: Extract<Op, { op: 'link.set' }>): void {
    const there = this.links.get(link.name);
    if (there === undefined) throw new Refused(`${link.name} does not exist`);
    const { master, isolated, hairpin, ...common } = changes;
    if (there.kind !== 'veth') {
      if (master !== undefined || isolated !== undefined || hairpin !== undefined)
        throw new Refused(`${link.name} is no veth`);
      this.links.set(link.name, { ...there, ...common });
      return;
    }
    let next: VethLink = { ...there, ...common };
    if (master === null) next = withoutMaster(next);
    else if (master !== undefined) {
      this.#needs(master);
      // A port begins anew in another bridge.
      next = { ...next, master, isolated: false, hairpin: false };
    }
    if (isolated !== undefined) {
      if (next.master === undefined) throw new Refused(`${link.name} is no port`);
      next = { ...next, isolated };
    }
    if (hairpin !== undefined) {
      if (next.master === undefined) throw new Refused(`${link.name} is no port`);
      next = { ...next, hairpin };
    }
    this.links.set(link.name, next);
  }

  #addElement(element: FirewallElement): void {
    const key = elementKey(element);
    const there = this.firewall.get(key);
    if (there !== undefined && there.value?.join() !== element.value?.join())
      throw new Refused(`${key} has another value`);
    this.firewall.set(key, element);
  }

  #hold(hold: PortHold): void {
    const rival = [...this.holds.values()].find(other => clashes(hold, other));
    const isSame = rival !== undefined && holdKey(rival) === holdKey(hold) && rival.owner === hold.owner;
    if (rival !== undefined && (this.#strict || !isSame)) throw new Refused(`${portText(rival)} is held`);
    this.holds.set(holdKey(hold), hold);
  }

  #delete(items: Map<string, unknown>, key: string): void {
    if (!items.delete(key) && this.#strict) throw new Refused(`${key} is not there to be deleted`);
  }

  #needs(link: string): void {
    if (!this.has(link)) throw new Refused(`there is no link ${link}`);
  }
}

/** The link that a sysctl is of; undefined for those of the whole host. */
export function linkOfSysctl(path: string): string | undefined {
  const name = /^net\/ipv[46]\/(?:conf|neigh)\/([^/]+)\//.exec(path)?.[1];
  return name === 'all' || name === 'default' ? undefined : name;
}

function withoutMaster(link: VethLink): VethLink {
  const { master: _master, isolated: _isolated, hairpin: _hairpin, ...rest } = link;
  return rest;
}

const isAt = (link: Link, place: Place): boolean =>
  (link.kind === 'veth' || link.kind === 'macvlan') &&
  link.place !== undefined &&
  placeKey(link.place) === placeKey(place);
