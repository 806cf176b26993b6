import * as fc from 'fast-check';
import { elementKey, neighbourKey, routeKey } from '../../src/host-state/keys.ts';
import type {
  Address,
  FirewallElement,
  FirewallSet,
  Guard,
  HostState,
  Link,
  MacvlanMode,
  Neighbour,
  Place,
  PortHold,
  Redirect,
  Route,
  SandboxEnd,
  Sysctl,
} from '../../src/host-state/types.ts';

/** Links that are on every host of these tests and are not tsnet's. */
export const FOREIGN: ReadonlySet<string> = new Set(['eth0', 'br-lan']);

const NAMES = ['n1', 'n2', 'n3', 'n4', 'n5', 'n6'] as const;
const MACS = ['02:00:00:00:00:01', '02:00:00:00:00:02'];
const MODES: readonly MacvlanMode[] = ['bridge', 'private', 'vepa'];
const SETS: readonly FirewallSet[] = ['bridges', 'no_icc', 'internal', 'masquerade4'];
const PROTOCOLS = ['tcp', 'udp', 'sctp'] as const;
const PORTS = [53, 80, 8080] as const;
const CONTAINERS = { 4: ['198.18.0.2', '198.18.0.3'], 6: ['2001:db8::2', '2001:db8::3'] } as const;
const HOST = { 4: ['0.0.0.0', '127.0.0.1', '198.18.0.1'], 6: ['::', '::1', '2001:db8::1'] } as const;

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

/** The ingredients of a link of any kind; which of them count depends on what there is to hang on. */
const ingredients = fc.record({
  alias: fc.constantFrom('tsnet:a', 'tsnet:b'),
  up: fc.boolean(),
  mtu: maybe(fc.constantFrom(1400, 1500)),
  mac: maybe(fc.constantFrom(...MACS)),
  isolated: fc.boolean(),
  hairpin: maybe(fc.boolean()),
  mode: fc.constantFrom(...MODES),
  pick: fc.nat(99),
});
type Ingredients = typeof ingredients extends fc.Arbitrary<infer T> ? T : never;

const common = (name: string, { alias, up, mtu, mac }: Ingredients) => ({
  name,
  alias,
  up,
  ...(mtu === undefined ? {} : { mtu }),
  ...(mac === undefined ? {} : { mac }),
});

/** Where the links of some names are made: a link never changes its place. */
const PLACED: ReadonlyMap<string, Place> = new Map([
  ['n5', { sandbox: '/run/docker/netns/1', name: 'eth100' }],
  ['n6', { sandbox: '/run/docker/netns/2', name: 'eth100' }],
]);
const placed = (name: string): { place?: Place } => {
  const place = PLACED.get(name);
  return place === undefined ? {} : { place };
};

const at = <T>(items: readonly T[], index: number): T => items[index % items.length] as T;

const links: fc.Arbitrary<Link[]> = fc
  .tuple(
    ...NAMES.map(() => fc.tuple(fc.constantFrom('none', 'bridge', 'dummy', 'veth', 'macvlan'), ingredients)),
  )
  .map(choices => {
    const named = choices.map(([kind, parts], index) => ({ kind, parts, name: at(NAMES, index) }));
    const bridges = ['br-lan', ...named.filter(l => l.kind === 'bridge').map(l => l.name)];
    const parents = [
      'eth0',
      ...named.filter(l => l.kind === 'bridge' || l.kind === 'dummy').map(l => l.name),
    ];
    return named.flatMap(({ kind, parts, name }): Link[] => {
      switch (kind) {
        case 'bridge':
        case 'dummy':
          return [{ kind, ...common(name, parts) }];
        case 'veth': {
          const master = at([undefined, ...bridges], parts.pick);
          return [
            {
              kind,
              ...common(name, parts),
              peer: { name: `p${name}` },
              ...placed(name),
              ...(master === undefined ? {} : { master, isolated: parts.isolated }),
              ...(master === undefined || parts.hairpin === undefined ? {} : { hairpin: parts.hairpin }),
            },
          ];
        }
        case 'macvlan':
          return [
            {
              kind,
              ...common(name, parts),
              ...placed(name),
              parent: at(parents, parts.pick),
              macvlanMode: parts.mode,
            },
          ];
        default:
          return [];
      }
    });
  });

const onLinks = <T>(names: readonly string[], item: (link: string) => fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  names.length === 0 ? fc.constant([]) : fc.array(fc.constantFrom(...names).chain(item), { maxLength: 5 });

const address = (link: string): fc.Arbitrary<Address> =>
  fc.record({
    link: fc.constant(link),
    address: fc.constantFrom('198.18.0.1/24', '198.18.1.1/32', '2001:db8::1/64'),
  });

const route = (link: string): fc.Arbitrary<Route> =>
  fc.record(
    {
      link: fc.constant(link),
      destination: fc.constantFrom('198.18.0.9/32', '2001:db8::9/128'),
      source: fc.constantFrom('198.18.0.1', '198.18.0.2'),
    },
    { requiredKeys: ['link', 'destination'] },
  );

const neighbour = (link: string): fc.Arbitrary<Neighbour> =>
  fc.record({
    link: fc.constant(link),
    address: fc.constantFrom('198.18.0.9', '2001:db8::9'),
    entry: fc.oneof(fc.constantFrom(...MACS.map(mac => ({ mac }))), fc.constant('proxy' as const)),
  });

const sysctl = (link: string): fc.Arbitrary<Sysctl> =>
  fc.record({
    path: fc.constantFrom(
      `net/ipv6/conf/${link}/accept_ra`,
      `net/ipv4/conf/${link}/rp_filter`,
      'net/ipv4/ip_forward',
    ),
    value: fc.constantFrom('0', '1'),
  });

const setElement: fc.Arbitrary<FirewallElement> = fc.record({
  set: fc.constantFrom(...SETS),
  key: fc.constantFrom(...NAMES).map(name => [name]),
});

const family = fc.constantFrom(4 as const, 6 as const);
const protocol = fc.constantFrom(...PROTOCOLS);
const port = fc.constantFrom(...PORTS);

/** An element of one of the maps that redirect published ports. */
export const mapping: fc.Arbitrary<FirewallElement> = fc
  .record({
    family,
    protocol,
    port,
    containerPort: port,
    at: fc.nat(),
    container: fc.nat(),
    anywhere: fc.boolean(),
  })
  .map(parts => {
    const key = [parts.protocol, String(parts.port)];
    const value = [at(CONTAINERS[parts.family], parts.container), String(parts.containerPort)];
    return parts.anywhere
      ? { set: `publish${parts.family}`, key, value }
      : { set: `publish_at${parts.family}`, key: [at(HOST[parts.family].slice(1), parts.at), ...key], value };
  });

const publishedSource: fc.Arbitrary<FirewallElement> = fc
  .record({ link: fc.constantFrom(...NAMES), container: fc.nat(), source: fc.nat() })
  .map(parts => ({
    set: 'published_source4',
    key: [parts.link, at(CONTAINERS[4], parts.container)],
    value: [at(HOST[4].slice(1), parts.source)],
  }));

/** Elements of sets and maps, each key once. */
export const elements: fc.Arbitrary<FirewallElement[]> = fc
  .array(fc.oneof(setElement, { arbitrary: mapping, weight: 2 }, publishedSource), { maxLength: 8 })
  .map(list => unique(list, elementKey));

const hold: fc.Arbitrary<PortHold> = fc
  .record({ family, protocol, port, at: fc.nat(), owner: fc.constantFrom('e1', 'e2'), relay: maybe(port) })
  .map(parts => ({
    protocol: parts.protocol,
    address: at(HOST[parts.family], parts.at),
    port: parts.port,
    owner: parts.owner,
    ...(parts.relay === undefined ? {} : { relay: { address: CONTAINERS[4][0], port: parts.relay } }),
  }));

/** Whether one address cannot be bound while the other is: the same one, or one that stands for the other as well. */
export const clashes = (
  a: Pick<PortHold, 'protocol' | 'address' | 'port'>,
  b: Pick<PortHold, 'protocol' | 'address' | 'port'>,
): boolean =>
  a.protocol === b.protocol &&
  a.port === b.port &&
  a.address.includes(':') === b.address.includes(':') &&
  (a.address === b.address || [a, b].some(({ address }) => address === '0.0.0.0' || address === '::'));

const holds: fc.Arbitrary<PortHold[]> = fc
  .array(hold, { maxLength: 5 })
  .map(list => list.filter((one, index) => !list.slice(0, index).some(other => clashes(one, other))));

const end = (place: Place): fc.Arbitrary<SandboxEnd> =>
  fc.record({
    sandbox: fc.constant(place.sandbox),
    name: fc.constant(place.name),
    madeAs: fc.constant('made'),
    mac: fc.constantFrom(...MACS),
    addresses: fc.subarray(['198.18.0.9/24', '2001:db8::9/64']),
    sysctls: fc.constant([]),
    announce: fc.constant({ count: 3, intervalMs: 1000 }),
  });

const redirect = (sandbox: string): fc.Arbitrary<Redirect> =>
  fc.record({
    sandbox: fc.constant(sandbox),
    endpointId: fc.constant('e1'),
    rules: fc.array(fc.record({ protocol, address: fc.constant(CONTAINERS[4][0]), from: port, to: port }), {
      minLength: 1,
      maxLength: 2,
    }),
  });
const redirects: fc.Arbitrary<Redirect[]> = fc
  .subarray(['/run/docker/netns/1', '/run/docker/netns/2'])
  .chain(sandboxes => fc.tuple(...sandboxes.map(redirect)));

const guard: fc.Arbitrary<Guard> = fc.record({
  rules: fc.array(fc.record({ family, action: fc.constantFrom('allow' as const, 'deny' as const) }), {
    maxLength: 2,
  }),
  otherwise: fc.constant({ 4: 'deny' as const, 6: 'allow' as const }),
});

const unique = <T>(items: readonly T[], key: (item: T) => string): T[] => [
  ...new Map(items.map(item => [key(item), item])).values(),
];

/** A state that can be: every item sits on a link of it, every link hangs on one that is there. */
export const hostState: fc.Arbitrary<HostState> = links.chain(made => {
  const names = made.map(link => link.name);
  const whole = fc.record({
    links: fc.constant(made),
    ends: fc.tuple(
      ...made.flatMap(link =>
        (link.kind === 'veth' || link.kind === 'macvlan') && link.place !== undefined
          ? [end(link.place)]
          : [],
      ),
    ),
    addresses: onLinks(names, address).map(list => unique(list, a => `${a.link} ${a.address}`)),
    routes: onLinks(names, route).map(list => unique(list, routeKey)),
    neighbours: onLinks(names, neighbour).map(list => unique(list, neighbourKey)),
    sysctls: onLinks(names, sysctl).map(list => unique(list, s => s.path)),
    firewall: elements,
    holds,
    redirects,
    residents: fc.subarray<string>([...CONTAINERS[4], ...CONTAINERS[6]]),
    guard: maybe(guard),
  });
  return whole.map(({ guard: rules, ...rest }) => (rules === undefined ? rest : { ...rest, guard: rules }));
});
