import { addressKey, byKey, elementKey, neighbourKey, routeKey } from '../../src/host-state/keys.ts';
import type { Op } from '../../src/host-state/ops.ts';
import type {
  Address,
  FirewallElement,
  HostState,
  Link,
  Neighbour,
  Observed,
  Route,
  VethLink,
} from '../../src/host-state/types.ts';

/** What the model refuses, as the kernel would. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

/**
 * A host as plain maps, with the kernel's rules as far as the order of steps depends on them: nothing hangs on a link
 * that is not there, what sits on a link goes with it, a macvlan goes with its parent, a port outlives its bridge.
 */
export class HostModel {
  readonly links: Map<string, Link>;
  readonly addresses: Map<string, Address>;
  readonly routes: Map<string, Route>;
  readonly neighbours: Map<string, Neighbour>;
  readonly sysctls: Map<string, string>;
  readonly firewall: Map<string, FirewallElement>;
  firewallIntact: boolean;
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
    this.addresses = byKey(state.addresses, addressKey);
    this.routes = byKey(state.routes, routeKey);
    this.neighbours = byKey(state.neighbours, neighbourKey);
    this.sysctls = new Map(state.sysctls.map(s => [s.path, s.value]));
    this.firewall = byKey(state.firewall, elementKey);
    this.firewallIntact = !('firewallIntact' in state) || state.firewallIntact;
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
        for (const element of op.elements) this.firewall.set(elementKey(element), element);
        this.firewallIntact = true;
        return;
      case 'firewall':
        for (const element of op.add) this.firewall.set(elementKey(element), element);
        for (const element of op.delete) this.#delete(this.firewall, elementKey(element));
    }
  }

  has(name: string): boolean {
    return this.links.has(name) || this.#foreign.has(name);
  }

  /** Takes a link away with all that the kernel takes away with it. */
  drop(name: string): void {
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

  state(): Observed {
    return {
      links: [...this.links.values()],
      addresses: [...this.addresses.values()],
      routes: [...this.routes.values()],
      neighbours: [...this.neighbours.values()],
      sysctls: [...this.sysctls].map(([path, value]) => ({ path, value })),
      firewall: [...this.firewall.values()],
      firewallIntact: this.firewallIntact,
    };
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
    const { master, isolated, ...common } = changes;
    if (there.kind !== 'veth') {
      if (master !== undefined || isolated !== undefined) throw new Refused(`${link.name} is no veth`);
      this.links.set(link.name, { ...there, ...common });
      return;
    }
    let next: VethLink = { ...there, ...common };
    if (master === null) next = withoutMaster(next);
    else if (master !== undefined) {
      this.#needs(master);
      // A port begins anew in another bridge.
      next = { ...next, master, isolated: false };
    }
    if (isolated !== undefined) {
      if (next.master === undefined) throw new Refused(`${link.name} is no port`);
      next = { ...next, isolated };
    }
    this.links.set(link.name, next);
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
  const { master: _master, isolated: _isolated, ...rest } = link;
  return rest;
}
