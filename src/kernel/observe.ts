import { guardVersion } from '../firewall/guard.ts';
import type { TableState } from '../firewall/parse.ts';
import { ADDRESS_PROTOCOL, isMarked, isShimMark, ROUTE_PROTOCOL } from '../host-state/mark.ts';
import type {
  Address,
  Guard,
  HostState,
  Link,
  Neighbour,
  Observed,
  Route,
  Sysctl,
} from '../host-state/types.ts';
import type { AddressInfo, LinkInfo, NeighbourInfo, RouteInfo } from './link-info.ts';
import { Gate } from './netlink/gate.ts';
import { readTable } from './nft/table.ts';
import { readRedirect } from './redirects/redirects.ts';
import { readEnd } from './sandbox/end.ts';
import type { Ways } from './steps/step.ts';
import { readSysctl } from './sysctl.ts';

const RT_TABLE_MAIN = 254;
const NUD_PERMANENT = 0x80;
const IFA_F_NOPREFIXROUTE = 0x200;

/** See Kernel.observe: the whole host in one look, reduced to what is tsnet's. */
export async function observe(ways: Ways, desired: HostState): Promise<Observed> {
  const { rtnetlink: rt, nft, holds, reaper } = ways;
  const [links, addresses, routes, entries, proxies, table, redirects, ends] = await Promise.all([
    reaper.staying(),
    rt.addresses(),
    rt.routes({ protocol: ROUTE_PROTOCOL, table: RT_TABLE_MAIN }),
    rt.neighbours(),
    rt.neighbours({ proxy: true }),
    readTable(nft),
    Promise.all(desired.redirects.map(readRedirect)),
    readEnds(desired.ends),
  ]);
  const byIndex = new Map(links.map(link => [link.index, link]));
  const own = namesOf(links.filter(link => isMarked(link.alias)));
  // Neighbours bear no mark; on a shim they are all tsnet's, on a bridge its user may have set some.
  const shims = namesOf(links.filter(link => isShimMark(link.alias)));
  const wantedAddresses = new Set(desired.addresses.map(a => `${a.link} ${a.address}`));
  return {
    links: links.flatMap(link => describeLink(link, byIndex)),
    ends: ends.filter(end => end !== undefined),
    addresses: on(own, addresses, (link, info) => describeAddress(link, info, wantedAddresses)),
    routes: on(own, routes, describeRoute),
    neighbours: on(shims, [...entries, ...proxies], describeNeighbour),
    sysctls: desired.sysctls.flatMap(readOne),
    firewall: table.elements,
    firewallIntact: table.skeleton === 'intact',
    ...observedGuard(desired, table),
    holds: holds.list(),
    redirects: redirects.filter(redirect => redirect !== undefined),
    residents: desired.residents,
  };
}

/** A few at a time, for each takes a socket. */
function readEnds(ends: HostState['ends']) {
  const gate = new Gate(8);
  return Promise.all(ends.map(end => gate.run(() => readEnd(end))));
}

/** Stands for the guard that is there and not the desired one: which it is, the kernel cannot tell. */
const OTHER_GUARD: Guard = { rules: [], otherwise: { 4: 'deny', 6: 'deny' } };

function observedGuard({ guard }: HostState, { guardVersion: present }: TableState): Pick<Observed, 'guard'> {
  if (present === guardVersion(guard)) return guard === undefined ? {} : { guard };
  return guard === undefined && present !== undefined ? { guard: OTHER_GUARD } : {};
}

const namesOf = (links: readonly LinkInfo[]) => new Map(links.map(link => [link.index, link.name]));

/** The items on some links, each described with its link's name. */
function on<T extends { linkIndex?: number }, R>(
  links: ReadonlyMap<number, string>,
  items: readonly T[],
  describe: (link: string, item: T) => R[],
): R[] {
  return items.flatMap(item => {
    const link = item.linkIndex === undefined ? undefined : links.get(item.linkIndex);
    return link === undefined ? [] : describe(link, item);
  });
}

function readOne({ path }: Sysctl): Sysctl[] {
  const value = readSysctl(path);
  return value === undefined ? [] : [{ path, value }];
}

function describeLink(info: LinkInfo, byIndex: ReadonlyMap<number, LinkInfo>): Link[] {
  const { name, alias, mtu, mac, up, kind } = info;
  if (alias === undefined || !isMarked(alias)) return [];
  const common = { name, alias, mtu, up, ...(mac === undefined ? {} : { mac }) };
  const nameOf = (index: number | undefined) => (index === undefined ? undefined : byIndex.get(index)?.name);
  switch (kind) {
    case 'bridge':
    case 'dummy':
      return [{ kind, ...common }];
    case 'veth': {
      const master = nameOf(info.master);
      // The other end is in a container, or about to be, and is nobody's to compare.
      return [
        {
          kind,
          ...common,
          peer: { name: '' },
          ...(master === undefined ? {} : { master }),
          ...(info.isolated === undefined ? {} : { isolated: info.isolated }),
          ...(info.hairpin === undefined ? {} : { hairpin: info.hairpin }),
        },
      ];
    }
    case 'macvlan':
      return [
        { kind, ...common, parent: nameOf(info.parent) ?? '', macvlanMode: info.macvlanMode ?? 'bridge' },
      ];
    default:
      return [];
  }
}

/** An address tsnet gave is known by its protocol number; before Linux 5.18 only by being wanted. */
function describeAddress(link: string, info: AddressInfo, wanted: ReadonlySet<string>): Address[] {
  const ours = info.protocol === ADDRESS_PROTOCOL || wanted.has(`${link} ${info.address}`);
  if (!ours) return [];
  const noPrefixRoute = (info.flags & IFA_F_NOPREFIXROUTE) !== 0;
  return [{ link, address: info.address, ...(noPrefixRoute ? { noPrefixRoute } : {}) }];
}

const describeRoute = (link: string, info: RouteInfo): Route[] => [
  { link, destination: info.destination, ...(info.source === undefined ? {} : { source: info.source }) },
];

function describeNeighbour(link: string, info: NeighbourInfo): Neighbour[] {
  if (info.proxy) return [{ link, address: info.address, entry: 'proxy' }];
  const permanent = (info.state & NUD_PERMANENT) !== 0;
  return permanent && info.mac !== undefined
    ? [{ link, address: info.address, entry: { mac: info.mac } }]
    : [];
}
