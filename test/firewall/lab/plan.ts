import type { FirewallElement, FirewallSet } from '../../../src/host-state/types.ts';

/** Subnet number of each bridge: 198.18.N.0/24 and 2001:db8:0:N::/64, the host being 1. */
export const BRIDGES = {
  tsb1: 1,
  tsb2: 2,
  tsb3: 3,
  tsb4: 4,
  tsb5: 5,
  tsb6: 6,
  tsb7: 7,
  tsb8: 8,
  fbr0: 9,
} as const;
export const LAN = 50;
export const SHIM = 'tss1';

/** Containers, by bridge and host number. `o` lives on the foreign bridge but is none of tsnet's. */
export const CONTAINERS = {
  a: ['tsb1', 11],
  a2: ['tsb1', 12],
  /** Open to the neighbour on the LAN only. */
  restricted: ['tsb2', 11],
  other: ['tsb2', 12],
  internal: ['tsb3', 11],
  /** Of a network without communication between its containers. */
  lone: ['tsb4', 11],
  lone2: ['tsb4', 12],
  routed: ['tsb5', 11],
  unprotected: ['tsb6', 11],
  /** Of two networks without isolation. */
  x: ['tsb7', 11],
  y: ['tsb8', 11],
  guest: ['fbr0', 11],
  o: ['fbr0', 12],
} as const;

/** Beside the host on its LAN: a neighbour, which routes everything of the host's to it, and a macvlan container. */
export const ON_LAN = { lan: 2, macvlan: 11 } as const;
export type PlaceName = keyof typeof CONTAINERS | keyof typeof ON_LAN;
export const VERSIONS = [4, 6] as const;
export type Version = (typeof VERSIONS)[number];

export const text = (version: Version, net: number, host: number): string =>
  version === 4 ? `198.18.${net}.${host}` : `2001:db8:0:${net}::${host}`;

export function addressOf(place: PlaceName | 'host', version: Version): string {
  if (place === 'host') return text(version, LAN, 1);
  if (place === 'lan' || place === 'macvlan') return text(version, LAN, ON_LAN[place]);
  const [bridge, host] = CONTAINERS[place];
  return text(version, BRIDGES[bridge], host);
}

/** The host's address on a bridge. */
export const gatewayOf = (bridge: keyof typeof BRIDGES, version: Version): string =>
  text(version, BRIDGES[bridge], 1);

/** Ports of the host by the container whose port 80 they lead to, TCP and UDP. */
export const PORTS = {
  a: 8080,
  restricted: 8083,
  lone: 8084,
  guest: 8085,
  macvlan: 8086,
  x: 8087,
  unprotected: 8088,
  /** tsnet publishes nothing there, and if it did it would not be reached. */
  internal: 8089,
} as const;
/** Ports published on one address only: of the loopback link, and of the host on its LAN. */
export const ONLY_LOOPBACK = 8081;
export const ONLY_HOST = 8082;

const link = (set: FirewallSet, ...names: string[]): FirewallElement[] =>
  names.map(name => ({ set, key: [name] }));
const own = Object.keys(BRIDGES).filter(name => name !== 'fbr0');

function elementsOf(version: Version): FirewallElement[] {
  const target = (place: PlaceName) => [addressOf(place, version), '80'];
  const both = (make: (protocol: string) => FirewallElement[]) => ['tcp', 'udp'].flatMap(make);
  const loopback = version === 4 ? '127.0.0.1' : '::1';
  return [
    ...link(`masquerade${version}`, 'tsb1', 'tsb2', 'tsb4', 'tsb6', 'tsb7', 'tsb8'),
    { set: `guest${version}`, key: ['fbr0', addressOf('guest', version)] },
    { set: `guest_masquerade${version}`, key: ['fbr0', addressOf('guest', version)] },
    ...Object.keys(PORTS).map((place): FirewallElement => {
      const address = addressOf(place as PlaceName, version);
      return { set: `self${version}`, key: [address, address] };
    }),
    ...both(protocol =>
      Object.entries(PORTS).map(([place, port]) => ({
        set: `publish${version}`,
        key: [protocol, `${port}`],
        value: target(place as PlaceName),
      })),
    ),
    ...both(protocol => [
      { set: `publish_at${version}`, key: [loopback, protocol, `${ONLY_LOOPBACK}`], value: target('a') },
      {
        set: `publish_at${version}`,
        key: [addressOf('host', version), protocol, `${ONLY_HOST}`],
        value: target('a'),
      },
      { set: `open${version}`, key: [addressOf('routed', version), protocol, '80'] },
    ]),
    {
      set: `published_source${version}`,
      key: [SHIM, addressOf('macvlan', version)],
      value: [addressOf('host', version)],
    },
    { set: `restricted${version}`, key: [addressOf('restricted', version)] },
    {
      set: `allow_from${version}`,
      key: [addressOf('restricted', version), `${addressOf('lan', version)}/${version === 4 ? 32 : 128}`],
    },
    ...link(`unprotected${version}`, 'tsb6'),
    ...link(`routed${version}`, 'tsb5'),
  ];
}

/** What tsnet's table holds for all of this. */
export const ELEMENTS: readonly FirewallElement[] = [
  ...link('bridges', ...own),
  ...Object.keys(BRIDGES).map((name): FirewallElement => ({ set: 'same_bridge', key: [name, name] })),
  ...link('internal', 'tsb3'),
  ...link('no_icc', 'tsb4'),
  ...link('unisolated', 'tsb7', 'tsb8'),
  ...link('localnet', ...own.filter(name => name !== 'tsb3'), SHIM),
  ...link('shims', SHIM),
  ...VERSIONS.flatMap(elementsOf),
];
