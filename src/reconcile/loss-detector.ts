import { addressKey, neighbourKey, routeKey } from '../host-state/keys.ts';
import { ROUTE_PROTOCOL } from '../host-state/mark.ts';
import type { LinkInfo } from '../kernel/link-info.ts';
import type { KernelEvent, LinkEvent } from '../kernel/monitor-event.ts';
import { isEngineBridge } from './engine-bridges.ts';
import type { Expectations } from './expectations.ts';

/**
 * Tells, of the many changes that the kernel announces, those after which the host may no longer be as desired:
 * something expected is gone, or a link that desired state depends on has changed. tsnet's own changes are expected
 * ones, so they are not among them.
 */
export class LossDetector {
  readonly #expectations: Expectations;
  /** Links that networks hang on and did not make. */
  readonly #foreign: () => ReadonlySet<string>;
  readonly #names = new Map<number, string>();
  readonly #conditions = new Map<string, string>();
  readonly #up = new Set<string>();
  /** Index of the bridge that a link is a port of. */
  readonly #masters = new Map<string, number>();

  constructor(expectations: Expectations, foreign: () => ReadonlySet<string>) {
    this.#expectations = expectations;
    this.#foreign = foreign;
  }

  /** Takes the links as they are, without judging them. */
  learn(links: readonly LinkInfo[]): void {
    for (const link of links) {
      this.#keep(link);
    }
  }

  /** @returns name of a link that the engine has moved into its container, where something waits for it; that is no loss */
  arrivalIn(event: KernelEvent): string | undefined {
    if (event.kind !== 'link' || event.change !== 'removed') return undefined;
    const { name } = event.link;
    return this.#expectations.awaits(name) ? name : undefined;
  }

  /** @returns what was lost, in words for the log; undefined when the event needs no repair */
  lossIn(event: KernelEvent): string | undefined {
    switch (event.kind) {
      case 'namespace':
        // Whose it was the event does not say: see orphans/sweep.ts.
        return undefined;
      case 'overrun':
        return 'events were lost';
      case 'link':
        return this.#ofLink(event);
      case 'address': {
        const link = this.#nameOf(event.address.linkIndex);
        if (link === undefined) return undefined;
        const key = addressKey({ link, address: event.address.address });
        const lost = event.change === 'removed' && this.#expectations.has(`address ${key}`);
        return lost || this.#foreign().has(link) ? `address ${key} ${event.change}` : undefined;
      }
      case 'route': {
        const { destination, linkIndex, protocol } = event.route;
        const link = this.#nameOf(linkIndex);
        if (event.change !== 'removed' || link === undefined || protocol !== ROUTE_PROTOCOL) return undefined;
        const key = routeKey({ link, destination });
        return this.#expectations.has(`route ${key}`) ? `route ${key} removed` : undefined;
      }
      case 'neighbour': {
        // Of proxy entries the kernel says nothing; they are mended along with the next thing it does tell of.
        const { address, linkIndex, proxy } = event.neighbour;
        const link = this.#nameOf(linkIndex);
        if (event.change !== 'removed' || link === undefined || proxy) return undefined;
        const key = neighbourKey({ link, address, entry: { mac: '' } });
        return this.#expectations.has(`neighbour ${key}`) ? `neighbour ${key} removed` : undefined;
      }
    }
  }

  #keep(link: LinkInfo): void {
    this.#names.set(link.index, link.name);
    this.#conditions.set(link.name, condition(link));
    if (link.up) this.#up.add(link.name);
    else this.#up.delete(link.name);
    if (link.master === undefined) this.#masters.delete(link.name);
    else this.#masters.set(link.name, link.master);
  }

  #forget(name: string): void {
    this.#conditions.delete(name);
    this.#up.delete(name);
    this.#masters.delete(name);
  }

  #ofLink({ change, link }: LinkEvent): string | undefined {
    const before = this.#names.get(link.index);
    if (change === 'set' && before !== undefined && before !== link.name) {
      this.learn([link]);
      this.#forget(before);
      const concerns = this.#expectations.link(before) !== undefined || this.#foreign().has(before);
      return concerns || this.#foreign().has(link.name) ? `link ${before} is now ${link.name}` : undefined;
    }
    const known = this.#conditions.get(link.name);
    const wasUp = this.#up.has(link.name);
    const master = this.#masters.get(link.name);
    if (change === 'removed') {
      this.#names.delete(link.index);
      this.#forget(link.name);
    } else this.#keep(link);
    const expected = this.#expectations.link(link.name);
    // A link is made down and then set up: when the event loop is busy it is expected already when that is read.
    if (expected !== undefined && (change === 'removed' || (expected.up && wasUp && !link.up))) {
      return `link ${link.name} ${change === 'removed' ? 'removed' : 'down'}`;
    }
    // The same holds for its bridge.
    if (expected !== undefined && master !== undefined && master !== link.master) {
      return `link ${link.name} taken off its bridge`;
    }
    if (isEngineBridge(link) && (change === 'removed' || known === undefined)) {
      return `bridge ${link.name} of the engine ${change === 'removed' ? 'removed' : 'added'}`;
    }
    const altered = change === 'removed' || known !== condition(link);
    return altered && this.#foreign().has(link.name) ? `link ${link.name} changed` : undefined;
  }

  #nameOf(index: number | undefined): string | undefined {
    return index === undefined ? undefined : this.#names.get(index);
  }
}

/** What of a parent's condition desired state, or the kernel's keeping of it, depends on. */
const condition = ({ index, up, carrier, mtu, mac, master }: LinkInfo): string =>
  [index, up, carrier, mtu, mac, master].join(' ');
