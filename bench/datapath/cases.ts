import type { Measure } from './traffic.ts';

/** Docker's own drivers and tsnet's. */
export type Driver = 'builtin' | 'tsnet';

/** What is compared in every case, and on which host of the lab it is: the second one has never had tsnet. */
export const SUBJECTS = {
  builtin: { driver: 'builtin', host: 0 },
  tsnet: { driver: 'tsnet', host: 0 },
  alone: { driver: 'builtin', host: 1 },
} as const satisfies Record<string, { driver: Driver; host: number }>;
export type Subject = keyof typeof SUBJECTS;

/** A subject's network, with a client and a server on it. */
export interface Net {
  /** Arguments of `docker network create`. */
  readonly create: readonly string[];
  /** The server's published ports, or only what it listens on where there are none. */
  readonly first: number;
  readonly ports: number;
}

/** The two of a host have ports of their own, and as two drivers do not share a subnet each has its network card. */
const bridge = (driver: string, subnet: string, first: number, ports: number): Net => ({
  create: ['-d', driver, '--subnet', subnet],
  first,
  ports,
});
const macvlan = (driver: string, segment: number, range: string): Net => ({
  create: [
    ...['-d', driver, '--subnet', `198.18.${segment}.0/24`],
    ...['--ip-range', range, '-o', `parent=eth${segment}`],
  ],
  first: 8000,
  ports: 0,
});

export const NETS = {
  bridge: {
    builtin: bridge('bridge', '198.18.31.0/24', 8001, 1),
    tsnet: bridge('tsnet', '198.18.32.0/24', 8002, 1),
    alone: bridge('bridge', '198.18.31.0/24', 8001, 1),
  },
  macvlan: {
    builtin: macvlan('macvlan', 1, '198.18.1.192/27'),
    tsnet: macvlan('tsnet', 0, '198.18.0.192/27'),
    alone: macvlan('macvlan', 1, '198.18.1.224/27'),
  },
  // Not of two drivers on one host: connections to tsnet's ports meet the other's thousand rules for masquerading.
  ports: {
    tsnet: bridge('tsnet', '198.18.34.0/24', 20_000, 1000),
    alone: bridge('bridge', '198.18.33.0/24', 20_000, 1000),
  },
} as const satisfies Record<string, Partial<Record<Subject, Net>>>;
export type NetName = keyof typeof NETS;

/** The network of each subject that has one of that name. */
export const subjectsOf = (name: NetName): readonly [Subject, Net][] =>
  Object.entries(NETS[name]) as [Subject, Net][];

/** One way of packets, on which the subjects are measured. */
export interface Case {
  readonly name: string;
  readonly net: NetName;
  readonly client: 'container' | 'lan' | 'host';
  /** By what address the client reaches the server's. */
  readonly by: 'container' | 'host' | 'loopback';
  readonly measures: readonly Measure[];
  /** How many times the builtin's figure tsnet's is to be. */
  readonly target?: number;
}

const ALL: readonly Measure[] = ['throughput', 'latency', 'connections'];

/**
 * What is measured together, round by round. A thousand rules slow all connections of their host, not the last port's
 * only, so that they come when all else is done.
 */
export const CASES: readonly (readonly Case[])[] = [
  [
    {
      name: 'container to container, bridge',
      ...{ net: 'bridge', client: 'container', by: 'container', measures: ALL, target: 0.97 },
    },
    {
      name: 'container to container, macvlan',
      ...{ net: 'macvlan', client: 'container', by: 'container', measures: ALL, target: 0.97 },
    },
    {
      name: 'published port, from the LAN',
      ...{ net: 'bridge', client: 'lan', by: 'host', measures: ALL, target: 0.97 },
    },
    {
      name: 'published port, from the host by 127.0.0.1',
      ...{ net: 'bridge', client: 'host', by: 'loopback', measures: ALL, target: 0.97 },
    },
  ],
  [
    {
      name: 'last of 1,000 published ports, from the LAN',
      ...{ net: 'ports', client: 'lan', by: 'host', measures: ['connections', 'handshakes'], target: 2.5 },
    },
  ],
];
