import { Writable } from 'node:stream';
import { createLog, type Log } from '../../src/log.ts';
import type { Admin } from '../../src/protocol/admin-router.ts';
import { createApp } from '../../src/protocol/app.ts';
import type { Ready } from '../../src/protocol/readiness.ts';
import type { Call, IpamDriver, NetworkDriver } from '../../src/protocol/types.ts';

export const NETWORK = '84795a'.padEnd(64, '0');
export const ENDPOINT = '9fbbbc'.padEnd(64, '1');
export const SWARM_NETWORK = 'pu8t6oylvjech7223filf0vjt';

/** A call of the drivers as the app made it. */
export interface Recorded {
  readonly name: string;
  readonly args: readonly unknown[];
}

export type Behaviour = (call: Call, ...args: readonly unknown[]) => unknown;

/** Drivers that record what they are asked; each method's behaviour can be replaced by its name. */
export class FakeDrivers {
  readonly calls: Recorded[] = [];
  readonly behaviour: Record<string, Behaviour> = {};
  #do = async <T>(name: string, usual: T, call: Call, ...args: unknown[]): Promise<T> => {
    this.calls.push({ name, args });
    const replaced = this.behaviour[name];
    return replaced === undefined ? usual : ((await replaced(call, ...args)) as T);
  };

  readonly network: NetworkDriver = {
    registered: () => void this.calls.push({ name: 'registered', args: [] }),
    gwAllocCheck: (flags, call) => this.#do('gwAllocCheck', { skipIpv4: true, skipIpv6: false }, call, flags),
    createNetwork: (request, call) => this.#do('createNetwork', undefined, call, request),
    deleteNetwork: (id, call) => this.#do('deleteNetwork', undefined, call, id),
    createEndpoint: (request, call) =>
      this.#do('createEndpoint', { mac: '02:42:0a:32:00:02' }, call, request),
    deleteEndpoint: (ref, call) => this.#do('deleteEndpoint', undefined, call, ref),
    operInfo: (ref, call) => this.#do('operInfo', { link: 'ts9fbbbc' }, call, ref),
    join: (request, call) =>
      this.#do(
        'join',
        {
          interfaceName: { srcName: 'ts9fbbbc', dstPrefix: 'eth' },
          gateway4: '10.50.0.1',
          staticRoutes: [{ destination: '169.254.1.1/32' }],
          disableGatewayService: true,
        },
        call,
        request,
      ),
    leave: (ref, call) => this.#do('leave', undefined, call, ref),
    program: (request, call) => this.#do('program', undefined, call, request),
    revoke: (ref, call) => this.#do('revoke', undefined, call, ref),
  };

  readonly ipam: IpamDriver = {
    localSpace: 'tsnet-local',
    globalSpace: 'tsnet-global',
    registered: () => void this.calls.push({ name: 'registered', args: [] }),
    requestPool: (request, call) =>
      this.#do(
        'requestPool',
        { poolId: 'tsnet-local/10.72.0.0/24', pool: '10.72.0.0/24', data: { k: 'v' } },
        call,
        request,
      ),
    releasePool: (id, call) => this.#do('releasePool', undefined, call, id),
    requestAddress: (request, call) => this.#do('requestAddress', '10.72.0.9/24', call, request),
    releaseAddress: (id, address, call) => this.#do('releaseAddress', undefined, call, id, address),
  };
}

export interface LogEntry {
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

/** A log whose entries can be looked at, and waited for. */
export class LogProbe {
  readonly entries: LogEntry[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly log: Log = createLog({
    level: 'debug',
    format: 'json',
    destination: new Writable({
      write: (chunk, _encoding, done) => {
        this.entries.push(JSON.parse(String(chunk)));
        for (const wake of this.#waiting.splice(0)) wake();
        done();
      },
    }),
  });

  /** The first entry that fits; the test's own time limit ends a wait in vain. */
  async entry(fits: (entry: LogEntry) => boolean): Promise<LogEntry> {
    for (;;) {
      const found = this.entries.find(fits);
      if (found !== undefined) return found;
      await new Promise<void>(resolve => this.#waiting.push(resolve));
    }
  }
}

/** A daemon that has done nothing yet. */
export const NOTHING: Admin = {
  published: () => [],
  status: () => ({
    networks: 0,
    endpoints: 0,
    attached: { byEngine: 0, inside: 0, unopened: 0 },
    orphans: [],
    collected: 0,
    store: { damaged: [] },
  }),
};

/** An app on fresh fakes. */
export const setUp = (options: { deadlineMs?: number; ready?: Ready } = {}) => {
  const drivers = new FakeDrivers();
  const probe = new LogProbe();
  const app = createApp({
    driver: drivers.network,
    ipam: drivers.ipam,
    admin: NOTHING,
    log: probe.log,
    ...options,
  });
  return { app, drivers, probe };
};
