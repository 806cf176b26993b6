import type { TsnetHost } from '../test/engine/support/tsnet-host.ts';

/** One driver that is measured. */
export interface Case {
  readonly name: string;
  /** The measured network; sorts between the two base networks. */
  readonly network: string;
  /** Arguments of `docker network create`. */
  readonly create: readonly string[];
  /** Name of the case that this one is compared with. */
  readonly builtin?: string;
}

/** Name and subnet of a network that a container is on from the start. */
interface Base {
  readonly network: string;
  readonly subnet: string;
  readonly gateway: string;
}

/**
 * Who holds the container's default route while it is on two networks. The engine prefers the network whose name
 * sorts first, and the measured networks' names begin with `m`.
 */
export interface Variant {
  readonly name: 'takes over' | 'stays';
  readonly title: string;
  readonly container: string;
  readonly base: Base;
}

const TAKEN: Base = { network: 'z-base', subnet: '198.18.20.0/24', gateway: '198.18.20.1' };
const KEPT: Base = { network: 'a-base', subnet: '198.18.21.0/24', gateway: '198.18.21.1' };

export const VARIANTS: readonly Variant[] = [
  {
    name: 'takes over',
    title: 'the connected network takes the default gateway over',
    container: 'taken',
    base: TAKEN,
  },
  { name: 'stays', title: 'the default gateway stays where it is', container: 'kept', base: KEPT },
];

export const NULL_DRIVER = 'nullnet';

/** The floor first. The two macvlan cases have a network card of the host each, as two drivers do not share a subnet. */
export const CASES: readonly Case[] = [
  {
    name: 'floor: a driver that does nothing',
    network: 'm-null',
    create: ['-d', NULL_DRIVER, '--subnet', '198.18.30.0/24', '-o', `gateway=${TAKEN.gateway}`],
  },
  {
    name: 'bridge, builtin',
    network: 'm-builtin-bridge',
    create: ['-d', 'bridge', '--subnet', '198.18.31.0/24'],
  },
  {
    name: 'bridge, tsnet',
    network: 'm-tsnet-bridge',
    create: ['-d', 'tsnet', '--subnet', '198.18.32.0/24'],
    builtin: 'bridge, builtin',
  },
  {
    name: 'macvlan, builtin',
    network: 'm-builtin-macvlan',
    create: [
      '-d',
      'macvlan',
      '--subnet',
      '198.18.1.0/24',
      '--ip-range',
      '198.18.1.192/27',
      '-o',
      'parent=eth1',
    ],
  },
  {
    name: 'macvlan, tsnet',
    network: 'm-tsnet-macvlan',
    create: [
      '-d',
      'tsnet',
      '--subnet',
      '198.18.0.0/24',
      '--ip-range',
      '198.18.0.192/27',
      '-o',
      'parent=eth0',
    ],
    builtin: 'macvlan, builtin',
  },
];

export const FLOOR = CASES[0]?.name ?? '';

/** Makes every network, measured or not, and the containers, and leaves them running. */
export async function furnish(host: TsnetHost): Promise<void> {
  for (const { base, container } of VARIANTS) {
    const { network, subnet, gateway } = base;
    await host.docker('network', 'create', '--subnet', subnet, '--gateway', gateway, network);
    await host.docker('run', '-d', '--name', container, '--network', network, 'busybox', 'sleep', '1d');
  }
  for (const { network, create } of CASES) await host.docker('network', 'create', ...create, network);
}

/** Removes all that `furnish` made. @throws Error when a network would not go or a link of tsnet is left */
export async function clear(host: TsnetHost): Promise<void> {
  await host.docker('rm', '-f', ...VARIANTS.map(variant => variant.container));
  await host.docker('network', 'rm', ...CASES.map(({ network }) => network));
  await host.docker('network', 'rm', ...VARIANTS.map(({ base }) => base.network));
}
