import { TsnetError } from '../errors.ts';
import { renderElements, renderTable } from '../firewall/render.ts';
import { describe, type LinkChanges, type Op } from '../host-state/ops.ts';
import type { Link } from '../host-state/types.ts';
import { hasCode, NetlinkError } from './netlink/netlink-error.ts';
import type { Nft } from './nft/nft.ts';
import type { Rtnetlink } from './rtnetlink/rtnetlink.ts';
import { writeSysctl } from './sysctl.ts';

/** The thin end: each step of a diff as one or two requests to the kernel. */
export class Applier {
  readonly #rtnetlink: Rtnetlink;
  readonly #nft: Nft;

  constructor(rtnetlink: Rtnetlink, nft: Nft) {
    this.#rtnetlink = rtnetlink;
    this.#nft = nft;
  }

  /** See Kernel.apply. */
  async apply(ops: readonly Op[], options: { context: string; teardown?: boolean }): Promise<void> {
    const failures: TsnetError[] = [];
    for (const op of ops) {
      try {
        await this.#step(op);
      } catch (error) {
        const failure = named(error, op, options.context);
        if (options.teardown !== true) throw failure;
        failures.push(failure);
      }
    }
    const [first, ...more] = failures;
    if (first === undefined) return;
    if (more.length === 0) throw first;
    const what = failures.map(failure => failure.what).join('; ');
    throw new TsnetError(first.code, what, { cause: new AggregateError(failures) });
  }

  async #step(op: Op): Promise<void> {
    const rt = this.#rtnetlink;
    switch (op.op) {
      case 'link.add':
        return this.#addLink(op.link);
      case 'link.set':
        return this.#setLink(op.link, op.changes);
      case 'link.delete':
        // Somebody else's link by this name is not a failure: what was tsnet's is gone.
        await rt.deleteMarkedLink(op.name, op.alias);
        return;
      case 'address.add':
        return rt.addAddress(await this.#index(op.address.link), op.address);
      case 'address.delete':
        return this.#ifPresent(op.address.link, index => rt.deleteAddress(index, op.address));
      case 'route.set':
        return rt.replaceRoute(await this.#index(op.route.link), op.route);
      case 'route.delete':
        return this.#ifPresent(op.route.link, index => rt.deleteRoute(index, op.route));
      case 'neighbour.set':
        return rt.replaceNeighbour(await this.#index(op.neighbour.link), op.neighbour);
      case 'neighbour.delete':
        return this.#ifPresent(op.neighbour.link, index => rt.deleteNeighbour(index, op.neighbour));
      case 'sysctl.set':
        return writeSysctl(op.sysctl.path, op.sysctl.value);
      case 'firewall.rebuild':
        return this.#nft.run(renderTable(op.elements));
      case 'firewall':
        return this.#nft.run(renderElements(op.add, op.delete));
    }
  }

  async #addLink(link: Link): Promise<void> {
    try {
      await this.#rtnetlink.addLink(link);
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
      const existing = await this.#rtnetlink.link(link.name);
      if (existing === undefined) throw error;
      if (existing.alias !== link.alias) {
        throw new TsnetError('LINK_TAKEN', `link ${link.name} exists already`, { cause: error });
      }
      // Made by an earlier attempt at the same thing, perhaps not to the end.
      const master = link.kind === 'veth' && link.master !== undefined ? { master: link.master } : {};
      const isolated = link.kind === 'veth' && link.isolated !== undefined ? { isolated: link.isolated } : {};
      const mtu = link.mtu === undefined ? {} : { mtu: link.mtu };
      await this.#setLink(link, { up: link.up, ...mtu, ...master, ...isolated });
    }
  }

  async #setLink(link: Link, changes: LinkChanges): Promise<void> {
    const { master, ...rest } = changes;
    const index = await this.#index(link.name);
    const port = master === undefined ? {} : { master: master === null ? 0 : await this.#index(master) };
    await this.#rtnetlink.setLink(index, { ...rest, ...port });
  }

  async #index(name: string): Promise<number> {
    const link = await this.#rtnetlink.link(name);
    if (link === undefined) throw new TsnetError('KERNEL', `link ${name}: ENODEV there is no such link`);
    return link.index;
  }

  async #ifPresent(name: string, action: (index: number) => Promise<void>): Promise<void> {
    const link = await this.#rtnetlink.link(name);
    if (link !== undefined) await action(link.index);
  }
}

/** `link tsb1a2 (network web): EEXIST …`: the object in the kernel, the one the user knows, the kernel's words. */
function named(error: unknown, op: Op, context: string): TsnetError {
  if (error instanceof TsnetError) {
    return new TsnetError(error.code, `${error.what} (${context})`, { cause: error, remedy: error.remedy });
  }
  const code = hasCode(error, 'EOPNOTSUPP') ? 'KERNEL_UNSUPPORTED' : 'KERNEL';
  const words = error instanceof NetlinkError ? error.message : String(error);
  return new TsnetError(code, `${describe(op).slice(1)} (${context}): ${words}`, { cause: error });
}
