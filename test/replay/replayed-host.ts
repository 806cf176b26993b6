import type { Express } from 'express';
import supertest from 'supertest';
import { Attachments } from '../../src/driver/attachments.ts';
import { Changes } from '../../src/driver/change.ts';
import { createDriver } from '../../src/driver/driver.ts';
import { RestoredSandboxes } from '../../src/driver/restored-sandboxes.ts';
import { Runner } from '../../src/driver/runner.ts';
import { State } from '../../src/driver/state.ts';
import { portName } from '../../src/host-state/names.ts';
import { Ipam } from '../../src/ipam/ipam.ts';
import { createApp } from '../../src/protocol/app.ts';
import { Expectations } from '../../src/reconcile/expectations.ts';
import { Reconciler } from '../../src/reconcile/reconciler.ts';
import { FakeKernel } from '../driver/fake-kernel.ts';
import { Fuse } from '../driver/fuse.ts';
import { MemoryStore } from '../driver/memory-store.ts';
import { HOST } from '../driver/world.ts';
import { LogProbe, NOTHING } from '../protocol/fake.ts';
import type { CallStep, EventStep } from './trace.ts';

interface Reference {
  readonly NetworkID: string;
  readonly EndpointID: string;
  readonly SandboxKey: string;
}
interface Joined {
  readonly InterfaceName: { readonly SrcName: string; readonly DstPrefix: string };
}
/** What calls of a start are followed by, up to 27, until the sandbox is made. */
const BEFORE_SANDBOX = ['NetworkDriver.ProgramExternalConnectivity', 'NetworkDriver.EndpointOperInfo'];

/**
 * tsnet as it is put together in its process, from the HTTP interface down to a fake kernel, and what the engine does to
 * the host between its calls: it moves links into sandboxes and out of them.
 */
export class ReplayedHost {
  readonly probe = new LogProbe();
  readonly #kernel: FakeKernel;
  readonly #store: MemoryStore;
  #app: Express;
  /** Sandboxes by endpoint. */
  readonly #sandboxes = new Map<string, string>();
  /** What is done as soon as the sandbox of a container that starts is there. */
  #onSandbox: (() => void) | undefined;

  constructor() {
    const fuse = new Fuse();
    this.#kernel = new FakeKernel(fuse, HOST);
    this.#store = new MemoryStore(fuse);
    this.#app = this.#daemon();
  }

  /** Everything of containers and networks that is left, on the host and on the disk. */
  left(): unknown {
    // Sysctls stay, see docs/architecture.md; tracked connections cannot be observed, and a restart forgets them.
    const { sysctls: _sysctls, residents: _residents, ...host } = this.#kernel.model.state();
    const { networks, endpoints } = this.#store.rows() as Record<'networks' | 'endpoints', object>;
    return {
      host,
      sandboxes: [...this.#kernel.sandboxes.values()].flatMap(links => [...links.keys()]),
      networks: Object.keys(networks),
      endpoints: Object.keys(endpoints),
      pools: this.#store.pools(),
      leases: [...this.#store.leases()],
    };
  }

  /** Whether a port is published, on the host or on a container's own address. */
  get publishes(): boolean {
    const { holds, redirects } = this.#kernel.model;
    return holds.size + redirects.size > 0;
  }

  /** Whether a container is attached to anything. */
  get hasContainers(): boolean {
    return this.#sandboxes.size > 0;
  }

  async call(
    step: Pick<CallStep, 'call' | 'body' | 'sandbox'>,
  ): Promise<{ status: number; answer: unknown }> {
    const { call, body, sandbox } = step;
    if (!BEFORE_SANDBOX.includes(call)) this.#makeSandbox();
    const reference = (body ?? {}) as Reference;
    if (sandbox === true) this.#openSandbox(reference.SandboxKey);
    // As the engine sends it: JSON without a Content-Type.
    const request = supertest(this.#app).post(`/${call}`).set('Content-Type', '');
    const response = await request.send(body === undefined ? undefined : JSON.stringify(body));
    const answer: unknown = response.body;
    if (response.status === 200) this.#follow(step, reference, answer);
    return { status: response.status, answer };
  }

  happen(event: EventStep['event']): void {
    if (event === 'tsnet restarted') {
      this.#kernel.processEnds();
      this.#app = this.#daemon();
      return;
    }
    for (const [endpoint, sandbox] of this.#sandboxes) this.#kernel.die(sandbox, portName(endpoint));
    this.#sandboxes.clear();
  }

  #daemon(): Express {
    const kernel = this.#kernel;
    const state = new State(this.#store);
    const runner = new Runner();
    const expectations = new Expectations();
    const { log } = this.probe;
    const reconciler = new Reconciler({ state, runner, kernel, expectations, log });
    const silent = () => undefined;
    const changes = new Changes(kernel, expectations);
    const hooks = { created: silent, deleted: silent, published: silent, undone: silent };
    const restored = new RestoredSandboxes(state, path => kernel.views.has(path));
    const attachments = new Attachments({ kernel, state }, restored);
    return createApp({
      driver: createDriver({ state, runner, kernel, changes, ...hooks }, attachments),
      ipam: new Ipam(this.#store),
      admin: NOTHING,
      log,
      ready: () => reconciler.restored(),
    });
  }

  /** What the engine does on an answer, before its next call. */
  #follow(
    { call, sandbox }: Pick<CallStep, 'call' | 'sandbox'>,
    reference: Reference,
    answer: unknown,
  ): void {
    if (call === 'NetworkDriver.Join') {
      const { SandboxKey, EndpointID } = reference;
      this.#sandboxes.set(EndpointID, SandboxKey);
      const { SrcName, DstPrefix } = (answer as Joined).InterfaceName;
      const move = () => this.#moveIn(SandboxKey, SrcName, DstPrefix);
      if (sandbox === true) move();
      else this.#onSandbox = move;
    }
    if (call === 'NetworkDriver.Leave') this.#moveOut(reference.EndpointID);
  }

  #makeSandbox(): void {
    this.#onSandbox?.();
    this.#onSandbox = undefined;
  }

  #openSandbox(path: string): void {
    if (this.#kernel.views.has(path)) return;
    this.#kernel.views.set(path, { links: [], destinations: [], ipv6: true });
  }

  #moveIn(sandbox: string, link: string, prefix: string): void {
    this.#openSandbox(sandbox);
    if (link === '') return;
    this.#kernel.moveIn(link, sandbox);
    const view = this.#kernel.views.get(sandbox);
    if (view !== undefined)
      this.#kernel.views.set(sandbox, { ...view, links: [...view.links, `${prefix}${view.links.length}`] });
  }

  #moveOut(endpoint: string): void {
    const sandbox = this.#sandboxes.get(endpoint);
    if (sandbox === undefined) return;
    this.#sandboxes.delete(endpoint);
    this.#kernel.moveOut(sandbox);
    // With its last network the sandbox goes; nobody looks at the interfaces of one that has lost some.
    if (![...this.#sandboxes.values()].includes(sandbox)) this.#kernel.views.delete(sandbox);
  }
}
