import { addressKey, neighbourKey, routeKey } from '../host-state/keys.ts';
import type { Op } from '../host-state/ops.ts';
import type { HostState, Link } from '../host-state/types.ts';

/**
 * What should be in the kernel at this moment, as keys: by these the monitor tells a loss from a change that tsnet
 * made itself. Links that the engine moves into containers are not in it, for they leave the host by design.
 */
export class Expectations {
  readonly #links = new Map<string, { readonly up: boolean }>();
  readonly #items = new Set<string>();

  /** Starts anew from a whole desired state. */
  reset(state: HostState): void {
    this.#links.clear();
    this.#items.clear();
    for (const link of state.links) this.#addLink(link);
    for (const address of state.addresses) this.#items.add(`address ${addressKey(address)}`);
    for (const route of state.routes) this.#items.add(`route ${routeKey(route)}`);
    for (const neighbour of state.neighbours) this.#items.add(`neighbour ${neighbourKey(neighbour)}`);
  }

  add(ops: readonly Op[]): void {
    for (const op of ops) {
      if (op.op === 'link.add') this.#addLink(op.link);
      else if (op.op === 'link.set') this.#addLink(op.link);
      else if (op.op === 'address.add') this.#items.add(`address ${addressKey(op.address)}`);
      else if (op.op === 'route.set') this.#items.add(`route ${routeKey(op.route)}`);
      else if (op.op === 'neighbour.set') this.#items.add(`neighbour ${neighbourKey(op.neighbour)}`);
    }
  }

  remove(ops: readonly Op[]): void {
    for (const op of ops) {
      if (op.op === 'link.delete') this.#links.delete(op.name);
      else if (op.op === 'address.delete') this.#items.delete(`address ${addressKey(op.address)}`);
      else if (op.op === 'route.delete') this.#items.delete(`route ${routeKey(op.route)}`);
      else if (op.op === 'neighbour.delete') this.#items.delete(`neighbour ${neighbourKey(op.neighbour)}`);
    }
  }

  link(name: string): { readonly up: boolean } | undefined {
    return this.#links.get(name);
  }

  /** @param item for instance `route tss1 10.0.0.1/32` */
  has(item: string): boolean {
    return this.#items.has(item);
  }

  #addLink(link: Link): void {
    const handedOver = link.kind === 'macvlan' && !link.up;
    if (!handedOver) this.#links.set(link.name, { up: link.up });
  }
}
