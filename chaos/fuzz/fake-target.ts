import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Attachments } from '../../src/driver/attachments.ts';
import { Changes } from '../../src/driver/change.ts';
import { createDriver } from '../../src/driver/driver.ts';
import { listPublished } from '../../src/driver/list-published.ts';
import { Runner } from '../../src/driver/runner.ts';
import { State } from '../../src/driver/state.ts';
import { statusOf } from '../../src/driver/status.ts';
import { containerLinkName } from '../../src/host-state/names.ts';
import type { Link } from '../../src/host-state/types.ts';
import { Ipam } from '../../src/ipam/ipam.ts';
import { createLog } from '../../src/log.ts';
import { createApp } from '../../src/protocol/app.ts';
import { listen } from '../../src/protocol/server.ts';
import { Expectations } from '../../src/reconcile/expectations.ts';
import { FakeKernel } from '../../test/driver/fake-kernel.ts';
import { Fuse } from '../../test/driver/fuse.ts';
import { MemoryStore } from '../../test/driver/memory-store.ts';
import { HOST } from '../../test/driver/world.ts';
import { cleanLines } from './clean-lines.ts';
import { Client } from './client.ts';
import { guarded, StringGuard } from './guarded-kernel.ts';
import type { Answer, FuzzRequest } from './request.ts';
import type { Held, Target, Usage } from './target.ts';
import { usageOf } from './usage.ts';

const DEADLINE_MS = 5_000;
const PATIENCE_MS = 15_000;
/** tsnet's interface, drivers and IPAM as its process puts them together, on a model of a host, behind the server of its socket. */
export class FakeTarget implements Target {
  readonly description = 'the app on a fake kernel, behind its server on a Unix socket, in this process';
  readonly sandboxes = ['a', 'b', 'c', 'd'].map(letter => `/run/docker/netns/${letter.repeat(12)}`);
  readonly parents = ['eth0', 'eth0', 'eth0', 'eth1', 'eth2', 'wlan0', 'br-lan', 'port0', 'lo'];
  readonly addresses = ['127.0.0.1', '::1', '198.18.0.5', '2001:db8::5', '0.0.0.0'];
  readonly #fuse = new Fuse();
  readonly #kernel = new FakeKernel(this.#fuse, HOST);
  readonly #store = new MemoryStore(this.#fuse);
  readonly #guard = new StringGuard();
  readonly #defects: string[] = [];
  /** Absent: it may have changed. */
  #snapshot: string | undefined;
  /** Something was sent whose answer nobody waits for. */
  #isUnsure = false;
  readonly #directory = mkdtempSync(join(tmpdir(), 'tsnet-fuzz-'));
  #client: Client | undefined;
  #close: () => Promise<void> = async () => undefined;

  private constructor() {
    // Two sandboxes that can be looked into, so that interfaces are made inside as well as left to the engine.
    for (const path of this.sandboxes.slice(0, 2))
      this.#kernel.views.set(path, { links: [], destinations: [], ipv6: true });
  }

  static async open(): Promise<FakeTarget> {
    const target = new FakeTarget();
    await target.#open();
    return target;
  }

  checkedStrings = (): number => this.#guard.count;

  send(request: FuzzRequest): Promise<Answer | 'hang'> {
    this.#isUnsure = false;
    return this.#theClient.send(request);
  }

  async sendRaw(bytes: Buffer): Promise<void> {
    await this.#theClient.raw(bytes);
    this.#isUnsure = true;
  }

  async follow(request: FuzzRequest, answer: Answer): Promise<void> {
    // The journal has every change of kernel, networks and endpoints; what is asked of IPAM may have changed its part.
    if (this.#fuse.journal.length > 0 || /ipam/i.test(request.path)) this.#snapshot = undefined;
    this.#forgetHistory();
    if (answer.status !== 200) return;
    if (request.path === '/NetworkDriver.Join') this.#moveIn(request, answer);
    if (request.path === '/NetworkDriver.Leave') this.#moveOut(request);
    if (/Driver.Delete/.test(request.path)) this.#dropLost();
  }

  held(): Held {
    return {
      networks: [...this.#store.networkRows.values()].map(({ id, subnets4, subnets6 }) => ({
        id,
        pools4: subnets4.map(({ pool }) => pool),
        pools6: subnets6.map(({ pool }) => pool),
      })),
      endpoints: [...this.#store.endpointRows.values()],
      pools: this.#store.pools().map(({ id }) => id),
      leases: [...this.#store.leases()],
    };
  }

  async snapshot(): Promise<string> {
    if (this.#isUnsure || this.#fuse.journal.length > 0) this.#snapshot = undefined;
    this.#forgetHistory();
    this.#snapshot ??= this.#describe();
    return this.#snapshot;
  }

  defects(): string[] {
    return [...this.#defects.splice(0), ...this.#guard.found()];
  }

  usage(): Usage {
    return usageOf('self');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client?.close();
    await this.#close();
    rmSync(this.#directory, { recursive: true });
  }

  get #theClient(): Client {
    if (this.#client === undefined) throw new Error('the target is not open');
    return this.#client;
  }

  async #open(): Promise<void> {
    const kernel = guarded(this.#kernel, this.#guard);
    const state = new State(this.#store);
    const runner = new Runner();
    const changes = new Changes(kernel, new Expectations());
    const silent = () => undefined;
    const attachments = new Attachments({ kernel, state });
    const hooks = { created: silent, deleted: silent, published: silent, undone: silent };
    const destination = cleanLines(defect => this.#defects.push(defect));
    const log = createLog({ level: 'debug', format: 'text', destination });
    const app = createApp({
      driver: createDriver({ state, runner, kernel, changes, ...hooks }, attachments),
      ipam: new Ipam(this.#store),
      admin: {
        published: () => listPublished(state),
        status: () =>
          statusOf(
            state,
            attachments,
            { collected: 0, suspicions: { list: () => [] } },
            { health: () => ({ damaged: [] }) },
          ),
      },
      log,
      deadlineMs: DEADLINE_MS,
    });
    const socketPath = join(this.#directory, 'tsnet.sock');
    const { close } = await listen({ app, socketPath, log, env: {} });
    this.#close = () => close(0);
    this.#client = new Client(socketPath, PATIENCE_MS);
  }

  #describe(): string {
    // Parameters of the host stay as a network wanted them, see docs/architecture.md.
    const { sysctls: _sysctls, residents: _residents, ...host } = this.#kernel.model.state();
    const lists = Object.entries(host).map(([part, items]) => [
      part,
      Array.isArray(items) ? items.map(item => JSON.stringify(item)).sort() : items,
    ]);
    this.#findStrays();
    const inside = [...this.#kernel.sandboxes].flatMap(([path, links]) =>
      [...links.keys()].map(name => `${path} ${name}`),
    );
    const ipam = [this.#store.pools(), [...this.#store.leases()]];
    return JSON.stringify([lists, inside.sort(), this.#store.rows(), ipam]);
  }

  /** Everything that names its owner names one that is in the store. */
  #findStrays(): void {
    const { endpointRows, networkRows } = this.#store;
    const { links, holds, redirects } = this.#kernel.model;
    const isKnown = (id: string) => endpointRows.has(id) || networkRows.has(id);
    for (const { name, alias } of links.values()) {
      const [, network = '', endpoint = network] = alias.split(':');
      if (network !== 'shim' && !isKnown(endpoint)) this.#defects.push(`link ${name} of nothing (${alias})`);
    }
    for (const { owner, port, protocol } of holds.values())
      if (!isKnown(owner)) this.#defects.push(`port ${port}/${protocol} held for nothing`);
    for (const { endpointId, sandbox } of redirects.values())
      if (!isKnown(endpointId)) this.#defects.push(`redirect in ${sandbox} for nothing`);
    for (const { name, sandbox } of this.#kernel.model.ends.values()) {
      const at = [...links.values()].some(
        link => 'place' in link && link.place?.name === name && link.place.sandbox === sandbox,
      );
      if (!at) this.#defects.push(`interface ${name} in ${sandbox} without link`);
    }
  }

  #moveIn({ body }: FuzzRequest, { text }: Answer): void {
    const { EndpointID, SandboxKey } = JSON.parse(body) as Record<'EndpointID' | 'SandboxKey', string>;
    // One that joins again has left the container before, or that is gone.
    for (const inside of this.#kernel.sandboxes.values()) inside.delete(containerLinkName(EndpointID));
    const { SrcName } = (JSON.parse(text) as { InterfaceName: { SrcName: string } }).InterfaceName;
    if (SrcName !== '') this.#kernel.moveIn(SrcName, SandboxKey);
    this.#snapshot = undefined;
  }

  #moveOut({ body }: FuzzRequest): void {
    const { EndpointID } = JSON.parse(body) as { EndpointID: string };
    const name = containerLinkName(EndpointID);
    for (const inside of this.#kernel.sandboxes.values()) {
      const link = inside.get(name);
      if (link === undefined) continue;
      inside.delete(name);
      this.#snapshot = undefined;
      // Of an endpoint that is not known any more nobody here would find it: the monitor, which does, is no part of this.
      if (this.#isKnown(link)) this.#kernel.model.links.set(name, link);
    }
  }

  /** An engine that deletes an endpoint has taken its link out of the container, or lost it with that. */
  #dropLost(): void {
    for (const inside of this.#kernel.sandboxes.values()) {
      for (const [name, link] of inside) {
        if (this.#isKnown(link)) continue;
        inside.delete(name);
        this.#snapshot = undefined;
      }
    }
  }

  /** Whether it is of an endpoint that there is, on the network that it was made for. */
  #isKnown({ alias }: Link): boolean {
    const [, networkId, endpointId = ''] = alias.split(':');
    return this.#store.endpointRows.get(endpointId)?.networkId === networkId;
  }

  /** What the fakes keep for tests would fill the memory. */
  #forgetHistory(): void {
    this.#kernel.applied.length = 0;
    this.#kernel.model.forgotten.length = 0;
    this.#fuse.journal.length = 0;
  }
}
