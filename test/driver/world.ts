import { Changes } from '../../src/driver/change.ts';
import { createDriver } from '../../src/driver/driver.ts';
import { Runner } from '../../src/driver/runner.ts';
import { State } from '../../src/driver/state.ts';
import type {
  Call,
  CreateEndpointRequest,
  CreateNetworkRequest,
  IpamData,
  NetworkDriver,
  PortBinding,
} from '../../src/protocol/types.ts';
import { Expectations } from '../../src/reconcile/expectations.ts';
import { FakeKernel, type ForeignLink } from './fake-kernel.ts';
import { Fuse } from './fuse.ts';
import { MemoryStore } from './memory-store.ts';

export const HOST: readonly ForeignLink[] = [
  { name: 'lo', loopback: true, mtu: 65536 },
  {
    name: 'eth0',
    mac: '02:11:22:33:44:55',
    addresses4: ['198.18.0.5/24'],
    addresses6: ['2001:db8::5/64'],
  },
  { name: 'eth1', mac: '02:11:22:33:44:66' },
  { name: 'eth2', mac: '02:11:22:33:44:77', up: false, carrier: false },
  { name: 'wlan0', mac: '02:11:22:33:44:88', wireless: true },
  { name: 'br-lan', kind: 'bridge', mac: '02:11:22:33:44:99' },
  { name: 'port0', mac: '02:11:22:33:44:aa', master: 'br-lan' },
];

/** What a call of the engine gathered. */
export class FakeCall implements Call {
  readonly changes: string[] = [];
  readonly warnings: string[] = [];
  object = '';
  readonly #controller = new AbortController();
  readonly signal = this.#controller.signal;

  changed(what: string): void {
    this.changes.push(what);
  }
  warn(what: string): void {
    this.warnings.push(what);
  }
  about(object: string): void {
    this.object = object;
  }
  /** The engine has been told that its call took too long. */
  expire(): void {
    this.#controller.abort();
  }
}

/** A driver on a fake host. `restart` keeps the host and the disk and begins a new process. */
export class World {
  readonly fuse = new Fuse();
  readonly kernel: FakeKernel;
  readonly store: MemoryStore;
  state: State;
  runner = new Runner();
  expectations = new Expectations();
  driver: NetworkDriver;
  /** How often a network was said to have been made. */
  created = 0;
  /** How often one was said to have been removed. */
  deleted = 0;
  /** Networks whose removal failed. */
  readonly undone: string[] = [];

  constructor(foreign: readonly ForeignLink[] = HOST) {
    this.kernel = new FakeKernel(this.fuse, foreign);
    this.store = new MemoryStore(this.fuse);
    this.state = new State(this.store);
    this.driver = this.#driver();
  }

  restart(): void {
    this.fuse.arm();
    this.kernel.processEnds();
    this.state = new State(this.store);
    this.runner = new Runner();
    this.expectations = new Expectations();
    this.driver = this.#driver();
  }

  /** The host and the disk, for comparing: a step that has no effect leaves them equal. */
  snapshot(): unknown {
    const { sysctls: _sysctls, ...state } = this.kernel.model.state();
    const sorted = Object.entries(state).map(([part, items]) => [
      part,
      Array.isArray(items) ? items.map(item => JSON.stringify(item)).sort() : items,
    ]);
    return { host: Object.fromEntries(sorted), store: this.store.rows() };
  }

  #driver(): NetworkDriver {
    const { state, runner, kernel } = this;
    const changes = new Changes(kernel, this.expectations);
    const created = () => {
      this.created += 1;
    };
    const deleted = () => {
      this.deleted += 1;
    };
    const undone = (network: string) => this.undone.push(network);
    return createDriver({
      state,
      runner,
      kernel,
      changes,
      created,
      deleted,
      undone,
      published: () => undefined,
    });
  }
}

const pool = (text: string, gateway?: string, aux: Record<string, string> = {}): IpamData => ({
  addressSpace: 'LocalDefault',
  pool: text,
  ...(gateway === undefined ? {} : { gateway }),
  aux,
});

const id = (letter: string) => letter.repeat(64);

const request = (
  letter: string,
  generic: Record<string, string>,
  more: Partial<CreateNetworkRequest> = {},
): CreateNetworkRequest => ({
  networkId: id(letter),
  ipv4: true,
  ipv6: false,
  internal: false,
  generic,
  ipv4Data: [],
  ipv6Data: [],
  ...more,
});

/** Networks as an engine asks for them: one of each sort. */
export const NETWORKS = {
  nat: request(
    'a',
    {},
    {
      ipv6: true,
      ipv4Data: [pool('198.18.1.0/24', '198.18.1.1/24')],
      ipv6Data: [pool('2001:db8:1::/64', '2001:db8:1::1/64')],
    },
  ),
  closed: request(
    'b',
    { enable_icc: 'false', 'com.docker.network.bridge.name': 'br-closed' },
    { internal: true, ipv4Data: [pool('198.18.2.0/24', '198.18.2.1/24')] },
  ),
  guest: request(
    'c',
    { 'com.docker.network.bridge.name': 'br-lan' },
    { ipv4Data: [pool('198.18.3.0/24', '198.18.3.1/24')] },
  ),
  lan: request(
    'd',
    { parent: 'eth0' },
    {
      ipv6: true,
      ipv4Data: [pool('198.18.0.0/24', '198.18.0.1/24')],
      ipv6Data: [pool('2001:db8::/64', '2001:db8::1/64')],
    },
  ),
  lan2: request('e', { parent: 'eth0' }, { ipv4Data: [pool('198.18.5.0/24')] }),
  isolated: request('f', { mode: 'macvlan' }, { ipv4Data: [pool('198.18.6.0/24')] }),
} as const satisfies Record<string, CreateNetworkRequest>;

export type NetworkName = keyof typeof NETWORKS;
export const NETWORK_NAMES = Object.keys(NETWORKS) as NetworkName[];

/** The endpoint of a container with a number, as an engine asks for it on one of the networks. */
export function endpointOn(
  name: NetworkName,
  number: number,
  more: Partial<CreateEndpointRequest> = {},
): CreateEndpointRequest {
  const network: CreateNetworkRequest = NETWORKS[name];
  const [subnet4] = network.ipv4Data;
  const [subnet6] = network.ipv6Data;
  return {
    networkId: network.networkId,
    endpointId: `${network.networkId.slice(0, 1)}${number}`.padEnd(64, '0'),
    ...(subnet4 === undefined ? {} : { address4: subnet4.pool.replace(/\.0\//, `.${10 + number}/`) }),
    ...(subnet6 === undefined ? {} : { address6: subnet6.pool.replace('::/', `::${10 + number}/`) }),
    ports: [],
    options: {},
    ...more,
  };
}

export const sandboxOf = (endpointId: string): string => `/run/docker/netns/${endpointId.slice(0, 12)}`;

/** Creates a network and, on it, endpoints that have joined. */
export async function attach(world: World, name: NetworkName, ...numbers: number[]): Promise<void> {
  await world.driver.createNetwork(NETWORKS[name], new FakeCall());
  for (const number of numbers) {
    const endpoint = endpointOn(name, number);
    await world.driver.createEndpoint(endpoint, new FakeCall());
    await join(world, endpoint);
  }
}

export const join = (
  world: World,
  endpoint: CreateEndpointRequest,
  call = new FakeCall(),
  ports: readonly PortBinding[] = [],
) =>
  world.driver.join(
    {
      networkId: endpoint.networkId,
      endpointId: endpoint.endpointId,
      sandbox: sandboxOf(endpoint.endpointId),
      ports,
    },
    call,
  );
