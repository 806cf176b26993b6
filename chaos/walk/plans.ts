import type { Mode, WorldNetwork, WorldPort } from '../world/types.ts';

/** A network as it is asked for. */
export interface NetworkPlan {
  readonly name: string;
  readonly world: WorldNetwork;
  readonly place?: Place;
}

/** A container as it is asked for: one network, and its name served over HTTP on port 80. */
export interface ContainerPlan {
  readonly name: string;
  readonly network: string;
  readonly ports?: readonly WorldPort[];
  readonly restarts?: boolean;
}

/** The bridge that the host has besides tsnet, as its administrator made it. */
export const FOREIGN = { link: 'own0', address: '198.18.60.1/24' } as const;

/** Where a network lies. */
interface Place {
  /** CIDR, gateway (bare), CIDR that addresses are chosen from. */
  readonly v4: readonly [subnet: string, gateway: string, range: string];
  readonly v6?: readonly [subnet: string, gateway: string, range: string];
  readonly parent?: string;
}

const own = (byte: number): Place['v4'] => [
  `198.18.${byte}.0/24`,
  `198.18.${byte}.1`,
  `198.18.${byte}.128/25`,
];

function plan(name: string, mode: Mode, place: Place, ipam: 'default' | 'tsnet' = 'default'): NetworkPlan {
  const { v4, v6, parent } = place;
  const world: WorldNetwork = {
    name,
    mode,
    subnet4: v4[0],
    ...(v6 === undefined ? {} : { subnet6: v6[0] }),
    ipam,
    ...(parent === undefined ? {} : { parent }),
    uncertain: false,
  };
  return { name, world, place };
}

/** One of each mode, both IPAM drivers, with IPv6 and without. */
export const NETWORKS = {
  bridge: plan(
    'b1',
    'bridge',
    { v4: own(65), v6: ['2001:db8:65::/64', '2001:db8:65::1', '2001:db8:65::a:0/112'] },
    'tsnet',
  ),
  second: plan('b0', 'bridge', { v4: own(64) }),
  internal: plan('b3', 'bridge-internal', { v4: own(67) }),
  isolated: plan('b5', 'bridge-isolated', { v4: own(69) }),
  foreign: plan('own', 'bridge-foreign', { v4: own(60), parent: FOREIGN.link }),
  macvlan: plan(
    'lan0',
    'macvlan',
    {
      v4: ['198.18.0.0/24', '198.18.0.1', '198.18.0.96/27'],
      v6: ['fd99::/64', 'fd99::1', 'fd99::a:0/112'],
      parent: 'eth0',
    },
    'tsnet',
  ),
  'macvlan-self': plan('lan1', 'macvlan-self', {
    v4: ['198.18.1.0/24', '198.18.1.1', '198.18.1.96/27'],
    parent: 'eth1',
  }),
} as const;

export type Kind = keyof typeof NETWORKS;

/** What is walked through; `second` is where a container is before it is connected elsewhere. */
export const KINDS = (Object.keys(NETWORKS) as Kind[]).filter(kind => kind !== 'second');

const OPTIONS: Readonly<Record<Mode, readonly string[]>> = {
  bridge: [],
  'bridge-internal': ['--internal'],
  'bridge-isolated': ['-o', 'com.docker.network.bridge.enable_icc=false'],
  'bridge-foreign': ['-o', `com.docker.network.bridge.name=${FOREIGN.link}`],
  macvlan: ['-o', 'publish=host'],
  'macvlan-self': [],
};

/** What follows `docker network create`. @throws Error for a network of no place */
export function createArguments({ name, world, place }: NetworkPlan): string[] {
  if (place === undefined) throw new Error(`nobody knows how to create ${name}`);
  const { v4, v6, parent } = place;
  const isMacvlan = world.mode.startsWith('macvlan');
  return [
    ...['-d', 'tsnet', ...subnetArguments(v4)],
    ...(v6 === undefined ? [] : ['--ipv6', ...subnetArguments(v6)]),
    ...(world.ipam === 'tsnet' ? ['--ipam-driver', 'tsnet'] : []),
    ...(isMacvlan ? ['-o', `parent=${parent}`] : []),
    ...OPTIONS[world.mode],
    name,
  ];
}

const subnetArguments = ([subnet, gateway, range]: Place['v4']): string[] => [
  ...['--subnet', subnet, '--gateway', gateway, '--ip-range', range],
];

/** What follows `docker run`. */
export const runArguments = ({ name, network, ports = [], restarts }: ContainerPlan): string[] => [
  ...['-d', '--stop-timeout', '0', '--name', name, '--network', network],
  ...(restarts === true ? ['--restart', 'always'] : []),
  ...ports.flatMap(({ host, container, protocol }) => ['-p', `${host}:${container}/${protocol}`]),
  ...['busybox', 'sh', '-c'],
  `mkdir -p /www && echo ${name} > /www/index.html && exec httpd -f -p 80 -h /www`,
];
