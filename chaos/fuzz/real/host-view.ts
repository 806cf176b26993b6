import { Nft } from '../../../src/kernel/nft/nft.ts';
import { IpReader } from './ip-reader.ts';

interface NftObject {
  readonly [kind: string]: { readonly name?: string; readonly elem?: readonly unknown[] } | undefined;
}

export interface HostReading {
  /** Links, addresses, routes, neighbours and the table, a sorted list each. */
  readonly text: string;
  /** Of links. */
  readonly aliases: readonly string[];
  /** Links whose other end, in the same namespace, is not in the list: the kernel is deleting the two. */
  readonly halves: readonly string[];
}

/** The host as `ip` and libnftables see it, without what changes by itself: states, timers, counters, addresses of links' own. */
export class HostView implements AsyncDisposable {
  readonly #ip = new IpReader();
  readonly #ip6 = new IpReader('-6');
  readonly #nft = Nft.open({ port: false });

  async read(): Promise<HostReading> {
    // Ahead of the rest: what is found on a link that is not among them has outlived it.
    const links = await this.#ip.ask('link show');
    const [addresses, routes4, routes6, proxies, neighbours, table] = await Promise.all([
      this.#ip.ask('addr show'),
      this.#ip.ask('route show table all'),
      this.#ip6.ask('route show table all'),
      this.#ip.ask('neigh show proxy'),
      this.#ip.ask('neigh show nud permanent'),
      this.#nft.jsonIfExists('list table inet tsnet'),
    ]);
    const parts = [
      links.map(linkText),
      addresses.flatMap(addressTexts),
      [...routes4, ...routes6].filter(route => route['protocol'] !== 'kernel').map(routeText),
      [...proxies, ...neighbours].map(({ dst, dev, lladdr }) => JSON.stringify([dst, dev, lladdr])),
      elements(table),
    ];
    const aliases = links.flatMap(({ ifalias }) => (typeof ifalias === 'string' ? [ifalias] : []));
    return { text: JSON.stringify(parts.map(part => part.sort())), aliases, halves: halvesOf(links) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#ip.close(), this.#ip6.close(), this.#nft.close()]);
  }
}

function halvesOf(links: readonly Record<string, unknown>[]): string[] {
  const names = new Set(links.map(({ ifname }) => ifname));
  return links.flatMap(({ ifname, link }) => (link === undefined || names.has(link) ? [] : [String(ifname)]));
}

function linkText(link: Record<string, unknown>): string {
  const { ifname, ifindex, link: parent, link_index: far, master, mtu, address, ifalias, flags } = link;
  const isUp = (flags as readonly string[]).includes('UP');
  return JSON.stringify([ifname, ifindex, parent, far, master, mtu, address, ifalias, isUp]);
}

/** `ip address` tells no alias, `ip link` no address. */
const addressTexts = ({ ifname, addr_info }: Record<string, unknown>): string[] =>
  (addr_info as readonly Record<string, unknown>[])
    .filter(({ scope }) => scope !== 'link')
    .map(({ local, prefixlen }) => `${ifname} ${local}/${prefixlen}`);

const routeText = ({
  type,
  dst,
  dev,
  table,
  protocol,
  prefsrc,
  gateway,
  metric,
}: Record<string, unknown>): string =>
  JSON.stringify([type, dst, dev, table, protocol, prefsrc, gateway, metric]);

/** Of sets and maps the elements, of all else how much there is. */
function elements(listing: unknown): string[] {
  const objects = (listing as { nftables?: readonly NftObject[] } | undefined)?.nftables ?? [];
  const held = objects.flatMap(object => {
    const set = object['set'] ?? object['map'];
    return (set?.elem ?? []).map(element => `${set?.name} ${JSON.stringify(element)}`);
  });
  return [...held, `${objects.length} objects`];
}
