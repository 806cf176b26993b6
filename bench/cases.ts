/** What `POST /networks/create` is asked for. */
export interface NetworkSpec {
  readonly driver: string;
  /** CIDR. */
  readonly subnet: string;
  /** CIDR within the subnet that containers get their addresses of. */
  readonly range?: string;
  /** Bare address. */
  readonly gateway?: string;
  readonly options?: Readonly<Record<string, string>>;
}

/** One way to put a container on a network, that is measured. */
export interface Case {
  /** Its name in every table, file and chart. */
  readonly name: string;
  /** Part of the names of its networks. */
  readonly slug: string;
  /** Undefined for a container without a network. */
  readonly network?: NetworkSpec;
  /** Name of the case that this one is compared with. */
  readonly builtin?: string;
}

export const NULL_DRIVER = 'nullnet';

export const NONE: Case = { name: '--network none', slug: 'none', builtin: 'builtin bridge' };

/** A remote driver that answers `{}`: see null-driver.ts. */
export const FLOOR: Case = {
  name: 'floor: a driver that does nothing',
  slug: 'floor',
  network: { driver: NULL_DRIVER, subnet: '198.18.30.0/24' },
  builtin: 'builtin bridge',
};

export const BUILTIN_BRIDGE: Case = {
  name: 'builtin bridge',
  slug: 'builtin-bridge',
  network: { driver: 'bridge', subnet: '198.18.31.0/24' },
};

export const TSNET_BRIDGE: Case = {
  name: 'tsnet bridge',
  slug: 'tsnet-bridge',
  network: { driver: 'tsnet', subnet: '198.18.32.0/24' },
  builtin: BUILTIN_BRIDGE.name,
};

/** The same, with a container's first interface made inside, as a further one is anyway. */
export const TSNET_INSIDE: Case = {
  name: 'tsnet bridge, attach=inside',
  slug: 'tsnet-inside',
  network: { driver: 'tsnet', subnet: '198.18.33.0/24', options: { attach: 'inside' } },
  builtin: BUILTIN_BRIDGE.name,
};

/**
 * The two macvlan cases have a network card of the host each, as two networks do not share a subnet. Both name the
 * LAN's router: without one a remote driver's network has no gateway at all, from 28 on, and takes none over.
 */
export const BUILTIN_MACVLAN: Case = {
  name: 'builtin macvlan',
  slug: 'builtin-macvlan',
  network: {
    driver: 'macvlan',
    subnet: '198.18.1.0/24',
    range: '198.18.1.128/25',
    gateway: '198.18.1.1',
    options: { parent: 'eth1' },
  },
};

export const TSNET_MACVLAN: Case = {
  name: 'tsnet macvlan',
  slug: 'tsnet-macvlan',
  network: {
    driver: 'tsnet',
    subnet: '198.18.0.0/24',
    range: '198.18.0.128/25',
    gateway: '198.18.0.1',
    options: { parent: 'eth0' },
  },
  builtin: BUILTIN_MACVLAN.name,
};

/** Every driver; the floor first. */
export const DRIVER_CASES: readonly Case[] = [
  FLOOR,
  BUILTIN_BRIDGE,
  TSNET_BRIDGE,
  BUILTIN_MACVLAN,
  TSNET_MACVLAN,
];

/** The cases of a container's life, in which how its first interface is made can be chosen. */
export const LIFE_CASES: readonly Case[] = [NONE, ...DRIVER_CASES, TSNET_INSIDE];

export const isTsnet = (one: Case): boolean => one.network?.driver === 'tsnet';
