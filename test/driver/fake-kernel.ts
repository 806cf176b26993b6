import { TsnetError } from '../../src/errors.ts';
import { holdKey, placeKey, redirectKey } from '../../src/host-state/keys.ts';
import { describe, type Op } from '../../src/host-state/ops.ts';
import {
  EMPTY,
  type HostState,
  type Link,
  type Observed,
  type Place,
  type PortHold,
} from '../../src/host-state/types.ts';
import type { HoldRequest, Kernel } from '../../src/kernel/kernel.ts';
import type { LinkInfo } from '../../src/kernel/link-info.ts';
import { UNFINISHED_ALIAS } from '../../src/kernel/rtnetlink/unfinished.ts';
import type { SandboxView } from '../../src/kernel/sandbox/view.ts';
import type { HostFacts, ParentFacts } from '../../src/modes/mode.ts';
import { clashes } from '../host-state/arbitrary.ts';
import { HostModel } from '../host-state/host-model.ts';
import { Crash, type Fuse } from './fuse.ts';

/** A link that the host has and tsnet did not make. */
export interface ForeignLink extends Omit<Partial<LinkInfo>, 'index' | 'master' | 'parent'> {
  readonly name: string;
  readonly master?: string;
  readonly parent?: string;
  readonly addresses4?: readonly string[];
  readonly addresses6?: readonly string[];
  readonly wireless?: boolean;
}

/** The Kernel interface over a model of a host, with containers that links move into. */
export class FakeKernel implements Kernel {
  readonly foreign = new Map<string, ForeignLink>();
  /** Links inside containers, by path of the sandbox and name of the link. */
  readonly sandboxes = new Map<string, Map<string, Link>>();
  /** The steps of every apply, a list each. */
  readonly applied: (readonly Op[])[] = [];
  readonly model: HostModel;
  ipv6 = true;
  dummies = true;
  dockerUser: { changed: boolean; problem?: string } = { changed: false };
  readonly #fuse: Fuse;
  readonly #indexes = new Map<string, number>();

  constructor(fuse: Fuse, foreign: readonly ForeignLink[]) {
    this.#fuse = fuse;
    for (const link of foreign) this.foreign.set(link.name, link);
    this.model = new HostModel(EMPTY, new ForeignNames(this.foreign), { strict: false });
  }

  async apply(ops: readonly Op[], options: { context: string; teardown?: boolean }): Promise<void> {
    this.#fuse.check();
    this.applied.push(ops);
    const failures: TsnetError[] = [];
    for (const op of ops) {
      await Promise.resolve();
      try {
        this.#step(op);
      } catch (error) {
        if (error instanceof Crash) throw error;
        const failure = new TsnetError('KERNEL', `${describe(op)} (${options.context}): ${String(error)}`);
        if (options.teardown !== true) throw failure;
        failures.push(failure);
      }
    }
    const [first] = failures;
    if (first !== undefined) throw new TsnetError(first.code, failures.map(f => f.what).join('; '));
  }

  async gone(): Promise<boolean> {
    this.#fuse.check();
    return true;
  }

  async observe(desired: HostState): Promise<Observed> {
    this.#fuse.check();
    const state = this.model.state();
    const wanted = new Set(desired.sysctls.map(sysctl => sysctl.path));
    const sysctls = state.sysctls.filter(sysctl => wanted.has(sysctl.path));
    const links = state.links.filter(link => !isInside(link)).map(withoutPlace);
    // Nobody looks into a sandbox for what is not to be there.
    const sought = new Set(desired.redirects.map(redirectKey));
    const redirects = state.redirects.filter(redirect => sought.has(redirectKey(redirect)));
    return { ...state, links, sysctls, redirects, residents: desired.residents };
  }

  async openDockerUser(): Promise<{ changed: boolean; problem?: string }> {
    if (this.#fuse.burn('kernel: DOCKER-USER')) throw new TsnetError('FIREWALL', 'DOCKER-USER: refused');
    return this.dockerUser;
  }

  /** Ports that processes of the host have, as holdKey() writes them. */
  readonly taken = new Set<string>();

  holdPort({ protocol, addresses, port, owner }: HoldRequest): readonly PortHold[] {
    this.#fuse.check();
    if (this.#fuse.burn(`kernel: hold ${port}`)) throw new TsnetError('PORT_TAKEN', 'told to fail');
    for (let candidate = port || 49_152; ; candidate += 1) {
      const holds = addresses.map(address => ({ protocol, address, port: candidate, owner }));
      const isFree = holds.every(hold => {
        const mine = port !== 0 && this.model.holds.get(holdKey(hold))?.owner === owner;
        return (mine || this.holderOf(hold) === undefined) && !this.taken.has(holdKey(hold));
      });
      if (isFree) {
        for (const hold of holds) this.model.step({ op: 'hold.add', hold });
        return holds;
      }
      if (port !== 0) throw new TsnetError('PORT_TAKEN', `port ${port} is taken`);
    }
  }

  holderOf(port: Pick<PortHold, 'protocol' | 'address' | 'port'>): string | undefined {
    return [...this.model.holds.values()].find(hold => clashes(hold, port))?.owner;
  }

  async facts(parents: Iterable<string>): Promise<HostFacts> {
    this.#fuse.check();
    const found = [...parents].flatMap((name): ParentFacts[] => {
      const link = this.foreign.get(name);
      if (link === undefined) return [];
      const { mac, mtu = 1500, addresses4 = [], addresses6 = [] } = link;
      return [{ name, mtu, ...(mac === undefined ? {} : { mac }), addresses4, addresses6 }];
    });
    return { ipv6: this.ipv6, parents: new Map(found.map(fact => [fact.name, fact])) };
  }

  async links(): Promise<LinkInfo[]> {
    this.#fuse.check();
    return [
      ...[...this.foreign.values()].map(link => this.#foreignInfo(link)),
      ...[...this.model.links.values()].filter(link => !isInside(link)).map(link => this.#info(link)),
    ];
  }

  async link(name: string): Promise<LinkInfo | undefined> {
    return (await this.links()).find(link => link.name === name);
  }

  async isWireless(name: string): Promise<boolean> {
    this.#fuse.check();
    return this.foreign.get(name)?.wireless ?? false;
  }

  async sandboxLinks(path: string): Promise<LinkInfo[] | undefined> {
    this.#fuse.check();
    const moved = this.sandboxes.get(path);
    const placed = this.#placedIn(path);
    if (moved === undefined && placed.length === 0 && !this.views.has(path)) return undefined;
    return [...[...(moved?.values() ?? [])].map(link => this.#info(link)), ...placed];
  }

  /** What sandboxes hold that tsnet can look into, by path, besides what it has made there. */
  readonly views = new Map<string, SandboxView>();

  async viewSandbox(path: string): Promise<SandboxView | undefined> {
    this.#fuse.check();
    const view = this.views.get(path);
    if (view === undefined) return undefined;
    const ends = [...this.model.ends.values()].filter(({ sandbox }) => sandbox === path);
    return {
      ...view,
      links: [...view.links, ...this.#placedIn(path).map(({ name }) => name)],
      destinations: [...view.destinations, ...ends.flatMap(({ addresses }) => addresses)],
    };
  }

  async hasDummy(): Promise<boolean> {
    this.#fuse.check();
    return this.dummies;
  }

  /** What the engine does with the link that Join named. Not an effect of tsnet's process. */
  moveIn(name: string, sandbox: string): void {
    const inside = this.sandboxes.get(sandbox) ?? new Map<string, Link>();
    this.sandboxes.set(sandbox, inside);
    const link = this.model.links.get(name);
    // Of a veth pair the other end moves, which the model does not have.
    if (link?.kind !== 'macvlan' || isInside(link)) return;
    this.model.drop(name);
    inside.set(name, link);
  }

  /** What the engine does between Leave and DeleteEndpoint. */
  moveOut(sandbox: string): void {
    for (const [name, link] of this.sandboxes.get(sandbox) ?? []) this.model.links.set(name, link);
    this.sandboxes.delete(sandbox);
  }

  /** The container dies with the engine: its links are gone, a veth with its peer. */
  die(sandbox: string, hostEnd: string): void {
    this.sandboxes.delete(sandbox);
    this.views.delete(sandbox);
    this.model.drop(hostEnd);
    for (const link of [...this.model.links.values()])
      if (placeOf(link)?.sandbox === sandbox) this.model.drop(link.name);
  }

  /** Somebody removes a link of tsnet's by hand. */
  cut(name: string): void {
    this.model.drop(name);
    this.#takeAlong(name);
  }

  /** Everything that is not on a disk is gone. */
  reboot(): void {
    for (const name of [...this.model.links.keys()]) this.model.drop(name);
    this.model.sysctls.clear();
    this.model.firewall.clear();
    this.model.firewallIntact = false;
    this.model.guard = undefined;
    this.model.redirects.clear();
    this.model.residents.clear();
    this.sandboxes.clear();
    this.views.clear();
    this.processEnds();
  }

  /** The sockets of the process that had them go with it. */
  processEnds(): void {
    this.model.holds.clear();
  }

  removeForeign(name: string): void {
    this.foreign.delete(name);
    this.#takeAlong(name);
  }

  #step(op: Op): void {
    if (this.#fuse.burn(`kernel: ${describe(op)}`)) throw new Error('EIO told to fail');
    // Without its place nobody finds a link that is not on the host.
    if (op.op === 'link.delete' && op.place === undefined && isInside(this.model.links.get(op.name))) return;
    this.model.step(op);
    if (op.op === 'link.delete' && op.place !== undefined)
      this.sandboxes.get(op.place.sandbox)?.delete(op.name);
    if (op.op === 'link.delete' && !this.model.has(op.name)) this.#takeAlong(op.name);
  }

  #takeAlong(parent: string): void {
    this.model.dropHangingOn(parent);
    for (const inside of this.sandboxes.values())
      for (const [name, link] of inside)
        if (link.kind === 'macvlan' && link.parent === parent) inside.delete(name);
  }

  /** What tsnet has made in a sandbox, by its names there. */
  #placedIn(path: string): LinkInfo[] {
    return [...this.model.links.values()].flatMap((link): LinkInfo[] => {
      const place = placeOf(link);
      if (place?.sandbox !== path) return [];
      const up = this.model.ends.has(placeKey(place));
      const { alias, ...info } = this.#info(link);
      const madeAs = link.kind === 'veth' ? link.peer.name : link.name;
      const common = { ...info, name: up ? place.name : madeAs, up, carrier: up };
      if (link.kind === 'macvlan') return [{ ...common, alias: up ? link.alias : UNFINISHED_ALIAS }];
      const { mac } = link.kind === 'veth' ? link.peer : link;
      return [{ ...common, ...(mac === undefined ? {} : { mac }) }];
    });
  }

  #index(name: string): number {
    const index = this.#indexes.get(name) ?? this.#indexes.size + 1;
    this.#indexes.set(name, index);
    return index;
  }

  #foreignInfo({ master, parent, ...link }: ForeignLink): LinkInfo {
    return {
      index: this.#index(link.name),
      mtu: 1500,
      up: true,
      carrier: true,
      loopback: false,
      ...link,
      ...(master === undefined ? {} : { master: this.#index(master) }),
      ...(parent === undefined ? {} : { parent: this.#index(parent) }),
    };
  }

  #info(link: Link): LinkInfo {
    const { name, kind, alias, mac, mtu = 1500, up } = link;
    return {
      index: this.#index(name),
      name,
      kind,
      alias,
      mtu,
      up,
      carrier: up,
      loopback: false,
      ...(mac === undefined ? {} : { mac }),
      ...(link.kind === 'macvlan' ? { parent: this.#index(link.parent) } : {}),
      ...(link.kind === 'veth' && link.master !== undefined ? { master: this.#index(link.master) } : {}),
    };
  }
}

const placeOf = (link: Link | undefined): Place | undefined =>
  link?.kind === 'veth' || link?.kind === 'macvlan' ? link.place : undefined;

/** Of a veth pair one end is on the host. */
const isInside = (link: Link | undefined): boolean => link?.kind === 'macvlan' && placeOf(link) !== undefined;

/** Where a far end is cannot be seen. */
function withoutPlace(link: Link): Link {
  if (link.kind !== 'veth') return link;
  const { place: _place, ...rest } = link;
  return rest;
}

/** The names of the foreign links as they are at the moment. */
class ForeignNames extends Set<string> {
  readonly #links: ReadonlyMap<string, unknown>;

  constructor(links: ReadonlyMap<string, unknown>) {
    super();
    this.#links = links;
  }

  override has(name: string): boolean {
    return this.#links.has(name);
  }
}
