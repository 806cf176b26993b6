import * as fc from 'fast-check';
import type {
  Address,
  FirewallElement,
  FirewallSet,
  HostState,
  Link,
  MacvlanMode,
  Neighbour,
  Route,
  Sysctl,
} from '../../src/host-state/types.ts';

/** Links that are on every host of these tests and are not tsnet's. */
export const FOREIGN: ReadonlySet<string> = new Set(['eth0', 'br-lan']);

const NAMES = ['n1', 'n2', 'n3', 'n4', 'n5', 'n6'] as const;
const MACS = ['02:00:00:00:00:01', '02:00:00:00:00:02'];
const MODES: readonly MacvlanMode[] = ['bridge', 'private', 'vepa'];
const SETS: readonly FirewallSet[] = ['bridges', 'no_icc', 'internal', 'masquerade4'];

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

/** The ingredients of a link of any kind; which of them count depends on what there is to hang on. */
const ingredients = fc.record({
  alias: fc.constantFrom('tsnet:a', 'tsnet:b'),
  up: fc.boolean(),
  mtu: maybe(fc.constantFrom(1400, 1500)),
  mac: maybe(fc.constantFrom(...MACS)),
  isolated: fc.boolean(),
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
              ...(master === undefined ? {} : { master, isolated: parts.isolated }),
            },
          ];
        }
        case 'macvlan':
          return [{ kind, ...common(name, parts), parent: at(parents, parts.pick), macvlanMode: parts.mode }];
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

const element: fc.Arbitrary<FirewallElement> = fc.record({
  set: fc.constantFrom(...SETS),
  key: fc.constantFrom(...NAMES).map(name => [name]),
});

const unique = <T>(items: readonly T[], key: (item: T) => string): T[] => [
  ...new Map(items.map(item => [key(item), item])).values(),
];

/** A state that can be: every item sits on a link of it, every link hangs on one that is there. */
export const hostState: fc.Arbitrary<HostState> = links.chain(made => {
  const names = made.map(link => link.name);
  return fc.record({
    links: fc.constant(made),
    addresses: onLinks(names, address).map(list => unique(list, a => `${a.link} ${a.address}`)),
    routes: onLinks(names, route).map(list => unique(list, r => `${r.link} ${r.destination}`)),
    neighbours: onLinks(names, neighbour).map(list =>
      unique(list, n => `${n.link} ${n.address} ${n.entry === 'proxy'}`),
    ),
    sysctls: onLinks(names, sysctl).map(list => unique(list, s => s.path)),
    firewall: fc.array(element, { maxLength: 6 }).map(list => unique(list, e => `${e.set} ${e.key}`)),
  });
});
