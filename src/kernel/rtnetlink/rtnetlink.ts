import { ROUTE_PROTOCOL } from '../../host-state/mark.ts';
import type { Address, Link, Neighbour, Route } from '../../host-state/types.ts';
import type { AddressInfo, LinkInfo, NeighbourInfo, RouteInfo } from '../link-info.ts';
import { AF_INET, AF_INET6, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from '../netlink/constants.ts';
import { type ErrorSymbol, hasCode } from '../netlink/netlink-error.ts';
import { SocketPool } from '../netlink/pool.ts';
import type { Request } from '../netlink/socket.ts';
import type { NetworkNamespace } from '../netns.ts';
import { decodeAddress, dumpAddresses, newAddress, oneAddress } from './address.ts';
import * as rt from './constants.ts';
import { changeLink, type LinkSettings, portSettings, type RelatedLinks } from './link-request.ts';
import { Links } from './links.ts';
import { decodeNeighbour, dumpNeighbours, newNeighbour, oneNeighbour } from './neighbour.ts';
import { cidrBytes } from './notation.ts';
import { decodeRoutes } from './route-reply.ts';
import { dumpRoutes, newRoute, oldRoute, type RouteFilter } from './route-request.ts';
import { UNFINISHED_ALIAS } from './unfinished.ts';

/** Requests in flight at a time. Each has a thread of libuv's pool, which must be larger for them to run at once. */
const PARALLEL_REQUESTS = 24;

/**
 * The links, addresses, routes and neighbours of one network namespace, through rtnetlink (rtnetlink(7)). Every method
 * waits on a worker thread, never on the event loop; different requests run in parallel, in no order. Refusals are
 * NetlinkErrors with the kernel's own words. Adding what is there and deleting what is not succeeds.
 */
export class Rtnetlink {
  readonly #pool: SocketPool;
  readonly #links: Links;

  private constructor(pool: SocketPool) {
    this.#pool = pool;
    this.#links = new Links(pool);
  }

  /**
   * @param where file of a network namespace, kept alive until close(), or an open one, which outlives this; the current one when
   *   absent
   * @param parallel most requests in flight; 1 is enough where only a dump is wanted
   * @throws NamespaceError for a bad path
   */
  static open(where?: string | NetworkNamespace, parallel = PARALLEL_REQUESTS): Rtnetlink {
    return new Rtnetlink(new SocketPool(where, parallel));
  }

  /** Requests under way still end; later ones are refused with EBADF. */
  close(): void {
    this.#pool.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  links(): Promise<LinkInfo[]> {
    return this.#links.list();
  }

  /** Index of the link of a name, at once; undefined where there is none. */
  index(name: string): number | undefined {
    return this.#links.index(name);
  }

  /** @param which name or index; undefined is answered where there is no such link */
  link(which: string | number): Promise<LinkInfo | undefined> {
    return this.#links.get(which);
  }

  /**
   * Makes a link: created down, then marked with its alias and set up in one step, so that none is ever up without its
   * mark. On failure nothing is left.
   * @param related indices of master and parent, where known; otherwise they are looked up by name
   * @returns the new link's index
   * @throws NetlinkError EEXIST when a link of the name exists, EOPNOTSUPP when the kernel lacks the kind
   */
  addLink(link: Link, related: RelatedLinks = {}): Promise<number> {
    return this.#links.add(link, related);
  }

  /** @throws NetlinkError ENODEV when there is no such link */
  async setLink(index: number, settings: LinkSettings): Promise<void> {
    const { isolated, hairpin, ...rest } = settings;
    const port = portSettings(settings);
    // Port settings are taken for the bridge that the link is in before the message moves it.
    if (Object.keys(port).length === 0 || !rest.master) return this.#links.set(index, settings);
    await this.#links.set(index, rest);
    await this.#links.set(index, port);
  }

  /**
   * Gives a link addresses, with broadcast addresses as the engine gives them, and other settings, and sets it up, in one
   * go. Addresses that it has are kept.
   * @param addresses CIDR
   * @throws NetlinkError ENODEV when there is no such link, EEXIST when there is another of a new name
   */
  async configure(index: number, addresses: readonly string[], settings: LinkSettings): Promise<void> {
    const finish = { ...settings, up: true, group: 0 };
    const { refusals } = await this.#pool.batch([
      ...addresses.map(address => ({
        type: rt.RTM_NEWADDR,
        flags: NLM_F_CREATE | NLM_F_EXCL,
        payload: newAddress(index, { link: '', address }, { broadcast: true }),
        operation: `RTM_NEWADDR ${address}`,
      })),
      { type: rt.RTM_NEWLINK, payload: changeLink(index, finish), operation: `RTM_NEWLINK change ${index}` },
    ]);
    const refusal = refusals.find(
      error => !hasCode(error, 'EEXIST') || !error.operation.startsWith('RTM_NEWADDR'),
    );
    if (refusal !== undefined) throw refusal;
  }

  deleteLink(index: number): Promise<void> {
    return this.#links.delete(index);
  }

  /**
   * Index of the link of this name; undefined where there is none, or somebody else's.
   * @param mark the alias that it is to bear, exactly or followed by `:` and more, such as `tsnet:<network id>`
   */
  async markedLink(name: string, mark: string): Promise<number | undefined> {
    const link = await this.link(name);
    const ours =
      link?.alias === mark || link?.alias === UNFINISHED_ALIAS || link?.alias?.startsWith(`${mark}:`);
    return ours === true ? link?.index : undefined;
  }

  async addresses({ linkIndex }: { linkIndex?: number } = {}): Promise<AddressInfo[]> {
    const payload = dumpAddresses(linkIndex ?? 0);
    const found = await this.#dump(rt.RTM_GETADDR, payload, 'addresses', decodeAddress);
    return found.filter(address => linkIndex === undefined || address.linkIndex === linkIndex);
  }

  /** Adds an address of scope global, without duplicate address detection, labelled with ADDRESS_PROTOCOL. */
  addAddress(linkIndex: number, address: Address): Promise<void> {
    const operation = `RTM_NEWADDR ${address.address} dev ${address.link}`;
    const payload = newAddress(linkIndex, address);
    const flags = NLM_F_CREATE | NLM_F_EXCL;
    return this.#request({ type: rt.RTM_NEWADDR, flags, payload, operation }, 'EEXIST');
  }

  deleteAddress(linkIndex: number, address: Address): Promise<void> {
    const operation = `RTM_DELADDR ${address.address} dev ${address.link}`;
    const payload = oneAddress(linkIndex, address);
    return this.#request({ type: rt.RTM_DELADDR, payload, operation }, 'EADDRNOTAVAIL', 'ENODEV');
  }

  /** Unicast, blackhole, unreachable and prohibit routes of every table unless one is named, both families. */
  async routes(filter: RouteFilter = {}): Promise<RouteInfo[]> {
    const families = [AF_INET, AF_INET6] as const;
    const dumps = families.map(family =>
      this.#dump(rt.RTM_GETROUTE, dumpRoutes(family, filter), 'routes', payload =>
        // A kernel without IPv6 answers its dump with the routes of every family it has.
        payload.readUInt8(0) === family ? decodeRoutes(payload) : [],
      ),
    );
    return (await Promise.all(dumps))
      .flat(2)
      .filter(
        route =>
          (filter.protocol === undefined || route.protocol === filter.protocol) &&
          (filter.table === undefined || route.table === filter.table) &&
          (filter.linkIndex === undefined || route.linkIndex === filter.linkIndex),
      );
  }

  /**
   * Adds a route to the main table, or puts tsnet's own route to the destination right.
   * @throws NetlinkError EEXIST when somebody else's route to the destination is there: it is left alone
   */
  async replaceRoute(linkIndex: number, route: Route): Promise<void> {
    const operation = `RTM_NEWROUTE ${route.destination} dev ${route.link}`;
    const request = { type: rt.RTM_NEWROUTE, payload: newRoute(linkIndex, route), operation };
    try {
      await this.#request({ ...request, flags: NLM_F_CREATE | NLM_F_EXCL });
    } catch (error) {
      if (!hasCode(error, 'EEXIST') || !(await this.#isOurs(route.destination))) throw error;
      await this.#request({ ...request, flags: NLM_F_CREATE | NLM_F_REPLACE });
    }
  }

  /** Deletes a route of tsnet's, whatever its source; somebody else's is left alone. */
  deleteRoute(linkIndex: number, route: Route): Promise<void> {
    const operation = `RTM_DELROUTE ${route.destination} dev ${route.link}`;
    const payload = oldRoute(linkIndex, route);
    return this.#request({ type: rt.RTM_DELROUTE, payload, operation }, 'ESRCH', 'ENODEV');
  }

  /** @param filter.proxy the entries that answer for others, instead of the neighbour tables */
  async neighbours(filter: { linkIndex?: number; proxy?: boolean } = {}): Promise<NeighbourInfo[]> {
    const { linkIndex, proxy = false } = filter;
    const payload = dumpNeighbours(proxy, linkIndex);
    const found = await this.#dump(rt.RTM_GETNEIGH, payload, 'neighbours', decodeNeighbour);
    return found.filter(
      entry => entry.proxy === proxy && (linkIndex === undefined || entry.linkIndex === linkIndex),
    );
  }

  /** Adds a permanent or proxy entry, or replaces the one that is there. */
  replaceNeighbour(linkIndex: number, neighbour: Neighbour): Promise<void> {
    const operation = `RTM_NEWNEIGH ${neighbour.address} dev ${neighbour.link}`;
    const payload = newNeighbour(linkIndex, neighbour);
    const flags = NLM_F_CREATE | NLM_F_REPLACE;
    return this.#request({ type: rt.RTM_NEWNEIGH, flags, payload, operation });
  }

  deleteNeighbour(linkIndex: number, neighbour: Neighbour): Promise<void> {
    const operation = `RTM_DELNEIGH ${neighbour.address} dev ${neighbour.link}`;
    const payload = oneNeighbour(linkIndex, neighbour);
    return this.#request({ type: rt.RTM_DELNEIGH, payload, operation }, 'ENOENT', 'ENODEV');
  }

  async #isOurs(destination: string): Promise<boolean> {
    const { family } = cidrBytes(destination);
    const filter = { protocol: ROUTE_PROTOCOL, table: rt.RT_TABLE_MAIN };
    const routes = await this.#dump(rt.RTM_GETROUTE, dumpRoutes(family, filter), 'routes', decodeRoutes);
    return routes
      .flat()
      .some(route => route.destination === destination && route.protocol === ROUTE_PROTOCOL);
  }

  /** @param success codes that say that things already are as asked for */
  async #request(request: Request, ...success: ErrorSymbol[]): Promise<void> {
    try {
      await this.#pool.request(request);
    } catch (error) {
      if (!hasCode(error, ...success)) throw error;
    }
  }

  async #dump<T>(
    type: number,
    payload: Buffer,
    what: string,
    decode: (payload: Buffer) => T | undefined,
  ): Promise<T[]> {
    try {
      const messages = await this.#pool.dump({ type, payload, operation: `dump of ${what}` });
      return messages.map(message => decode(message.payload)).filter(value => value !== undefined);
    } catch (error) {
      // The link or the table that the dump was to be limited to does not exist.
      if (hasCode(error, 'ENODEV', 'ENOENT')) return [];
      throw error;
    }
  }
}
