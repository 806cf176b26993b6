import { addressKey, neighbourKey, routeKey } from '../host-state/keys.ts';
import { containerLinkName } from '../host-state/names.ts';
import type { Op } from '../host-state/ops.ts';
import type { HostState, Link } from '../host-state/types.ts';

/**
 * What should be in the kernel at this moment, as keys: by these the monitor tells a loss from a change that tsnet
 * made itself. Links that the engine moves into containers are not in it, for they leave the host by design.
 */
export class Expectations {
  readonly #links = new Map<string, { readonly up: boolean }>();
  /** By the name of the link that they are on, for they go with it. */
  readonly #items = new Map<string, Set<string>>();
  /** Links on whose way into their container something waits. */
  readonly #awaited = new Set<string>();

  /** Starts anew from a whole desired state. */
  reset(state: HostState): void {
    this.#links.clear();
    this.#items.clear();
    this.#awaited.clear();
    for (const { endpointId } of state.redirects) this.#awaited.add(containerLinkName(endpointId));
    for (const link of state.links) this.#addLink(link);
    for (const address of state.addresses) this.#addItem(address.link, `address ${addressKey(address)}`);
    for (const route of state.routes) this.#addItem(route.link, `route ${routeKey(route)}`);
    for (const neighbour of state.neighbours)
      this.#addItem(neighbour.link, `neighbour ${neighbourKey(neighbour)}`);
  }

  add(ops: readonly Op[]): void {
    for (const op of ops) {
      if (op.op === 'link.add' || op.op === 'link.set') this.#addLink(op.link);
      else if (op.op === 'redirect.set') this.#awaited.add(containerLinkName(op.redirect.endpointId));
      else {
        const item = itemOf(op);
        if (item?.isAdded === true) this.#addItem(item.link, item.text);
      }
    }
  }

  remove(ops: readonly Op[]): void {
    for (const op of ops) {
      if (op.op === 'link.delete') {
        this.#links.delete(op.name);
        this.#items.delete(op.name);
      } else if (op.op === 'redirect.delete') {
        this.#awaited.delete(containerLinkName(op.redirect.endpointId));
      } else {
        const item = itemOf(op);
        if (item?.isAdded === false) this.#items.get(item.link)?.delete(item.text);
      }
    }
  }

  link(name: string): { readonly up: boolean } | undefined {
    return this.#links.get(name);
  }

  /**
   * Whether a link's disappearance from the host means that its container is there now: engines before 28 make the
   * sandbox long after Join, and ports of the container's own address can be redirected only inside it.
   */
  awaits(name: string): boolean {
    return this.#awaited.has(name);
  }

  /** @param item for instance `route tss1 10.0.0.1/32` */
  has(item: string): boolean {
    return this.#items.get(item.split(' ')[1] ?? '')?.has(item) ?? false;
  }

  #addLink(link: Link): void {
    const handedOver = link.kind === 'macvlan' && !link.up;
    if (!handedOver) this.#links.set(link.name, { up: link.up });
  }

  #addItem(link: string, text: string): void {
    const items = this.#items.get(link);
    if (items === undefined) this.#items.set(link, new Set([text]));
    else items.add(text);
  }
}

interface Item {
  readonly link: string;
  readonly text: string;
  readonly isAdded: boolean;
}

/** The thing on a link that a step adds or takes away; of other steps nothing. */
function itemOf(op: Op): Item | undefined {
  switch (op.op) {
    case 'address.add':
    case 'address.delete':
      return {
        link: op.address.link,
        text: `address ${addressKey(op.address)}`,
        isAdded: op.op === 'address.add',
      };
    case 'route.set':
    case 'route.delete':
      return { link: op.route.link, text: `route ${routeKey(op.route)}`, isAdded: op.op === 'route.set' };
    case 'neighbour.set':
    case 'neighbour.delete':
      return {
        link: op.neighbour.link,
        text: `neighbour ${neighbourKey(op.neighbour)}`,
        isAdded: op.op === 'neighbour.set',
      };
    default:
      return undefined;
  }
}
