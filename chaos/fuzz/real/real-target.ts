import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cleanLines } from '../clean-lines.ts';
import { Client } from '../client.ts';
import type { Answer, FuzzRequest } from '../request.ts';
import type { Held, Target, Usage } from '../target.ts';
import { usageOf } from '../usage.ts';
import { Containers } from './containers.ts';
import { HostView } from './host-view.ts';
import { furnish, SANDBOXES } from './namespace.ts';
import { StoreView } from './store-view.ts';

const DEADLINE_S = 20;
const PATIENCE_MS = 30_000;
/** What is done in the background takes at most 2 s on a machine that is not busy. */
const SETTLE_MS = 10_000;
const START_MS = 60_000;
const FREE = { NetworkID: 'a'.repeat(25) };

/** The daemon on the kernel of the namespace that this process is in. */
export class RealTarget implements Target {
  readonly description: string;
  readonly sandboxes = [...SANDBOXES.map(name => `/run/netns/${name}`), '/run/netns/gone', '/etc/passwd'];
  readonly parents = ['eth0', 'eth0', 'eth0', 'eth1', 'eth2', 'br-lan', 'port0', 'lo'];
  readonly addresses = ['127.0.0.1', '::1', '198.18.0.5', '2001:db8::5', '0.0.0.0'];
  readonly #directory = mkdtempSync(join(tmpdir(), 'tsnet-fuzz-'));
  readonly #client = new Client(join(this.#directory, 'tsnet.sock'), PATIENCE_MS);
  readonly #containers = new Containers();
  readonly #host = new HostView();
  readonly #defects: string[] = [];
  readonly #daemon: ChildProcess;
  readonly #exited: Promise<void>;
  #store: StoreView | undefined;
  #closing = false;

  private constructor(program: string) {
    this.description = `${program} on the kernel, in a namespace of its own`;
    const directory = this.#directory;
    const args = ['serve', '--socket', join(directory, 'tsnet.sock'), '--state', join(directory, 'state')];
    const daemon = spawn(program, [...args, '--docker-socket', '', '--deadline', String(DEADLINE_S)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: { ...process.env, TSNET_LOG_FORMAT: 'text' },
    });
    const log = cleanLines(defect => this.#defects.push(defect));
    daemon.stdout.pipe(log, { end: false });
    daemon.stderr.pipe(log, { end: false });
    this.#daemon = daemon;
    this.#exited = new Promise(resolve =>
      daemon.once('exit', (code, signal) => {
        if (!this.#closing) this.#defects.push(`the daemon has ended: code ${code}, signal ${signal}`);
        resolve();
      }),
    );
  }

  /** @param program of tsnet @throws Error when it does not answer */
  static async open(program: string): Promise<RealTarget> {
    await furnish();
    const target = new RealTarget(program);
    await target.#start();
    return target;
  }

  send(request: FuzzRequest): Promise<Answer | 'hang'> {
    return this.#client.send(request);
  }

  sendRaw(bytes: Buffer): Promise<void> {
    return this.#client.raw(bytes);
  }

  async follow(request: FuzzRequest, answer: Answer): Promise<void> {
    await this.#containers.follow(request, answer, () => {
      this.#theStore.read();
      return new Set(this.held().endpoints.map(({ id }) => id));
    });
  }

  held(): Held {
    return this.#theStore.held;
  }

  async snapshot(expected?: string): Promise<string> {
    const deadline = performance.now() + SETTLE_MS;
    for (;;) {
      const { text, aliases, halves } = await this.#host.read();
      const whole = `${text}${this.#theStore.read()}`;
      const strays = this.#straysIn(aliases);
      const isRest = strays.length + halves.length === 0 && !this.#theStore.isUnfinished;
      const isSettled = expected === undefined ? isRest : whole === expected;
      if (isSettled) return whole;
      if (performance.now() > deadline || this.#daemon.exitCode !== null) {
        for (const alias of strays) this.#defects.push(`a link of nothing: ${alias}`);
        for (const name of halves) this.#defects.push(`a link without its other end: ${name}`);
        if (this.#theStore.isUnfinished) this.#defects.push('what is being removed is not gone');
        return whole;
      }
      await delay(5);
    }
  }

  defects(): string[] {
    return this.#defects.splice(0);
  }

  usage(): Usage {
    return usageOf(this.#daemon.pid ?? 'self');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    this.#client.close();
    this.#daemon.kill();
    await this.#exited;
    this.#store?.[Symbol.dispose]();
    await this.#host[Symbol.asyncDispose]();
    rmSync(this.#directory, { recursive: true });
  }

  get #theStore(): StoreView {
    if (this.#store === undefined) throw new Error('fuzz: the store is not there');
    return this.#store;
  }

  async #start(): Promise<void> {
    const deadline = performance.now() + START_MS;
    for (;;) {
      const request = {
        path: '/NetworkDriver.FreeNetwork',
        body: JSON.stringify(FREE),
        kind: 'valid',
      } as const;
      const answer = await this.#client.send(request).catch(() => undefined);
      if (typeof answer === 'object' && answer.status === 200) break;
      if (performance.now() > deadline)
        throw new Error(`fuzz: tsnet does not answer: ${JSON.stringify(answer)}`);
      await delay(50);
    }
    this.#store = new StoreView(join(this.#directory, 'state', 'tsnet.db'));
    this.#theStore.read();
  }

  #straysIn(aliases: readonly string[]): string[] {
    const { held, shimmed } = this.#theStore;
    const { networks, endpoints } = held;
    const known = new Set([...networks, ...endpoints].map(({ id }) => id));
    return aliases.filter(alias => {
      const [mark, network = '', endpoint = network] = alias.split(':');
      if (mark !== 'tsnet') return false;
      return network === 'shim' ? !shimmed.has(endpoint) : !known.has(endpoint);
    });
  }
}
