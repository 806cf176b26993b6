import { join } from 'node:path';
import { within } from '../src/kernel/deadline.ts';
import { TsnetHost } from '../test/engine/support/tsnet-host.ts';
import type { Generation } from '../test/lab/engines.ts';
import { Lab } from '../test/lab/lab.ts';
import { waitFor } from '../test/lab/wait.ts';
import { type NetworkSpec, NULL_DRIVER } from './cases.ts';

/** Milliseconds for one call. An engine whose own locks are at odds answers never; 1,000 ports of the builtin bridge take a minute. */
const PATIENCE = 300_000;

/** No answer has come to a call: the engine's own locks are at odds. */
export class EngineHangs extends Error {}

/** A throwaway host with an engine, tsnet, the driver that does nothing, and two network cards. */
export class BenchHost implements AsyncDisposable {
  readonly lab: Lab;
  readonly tsnet: TsnetHost;

  private constructor(lab: Lab) {
    this.lab = lab;
    this.tsnet = new TsnetHost(lab.host());
  }

  static async boot(engine: Generation): Promise<BenchHost> {
    const lab = await Lab.create({ hosts: [{ engine }], nics: 2 });
    const host = new BenchHost(lab);
    try {
      const { tsnet } = host;
      await Promise.all([
        tsnet.start('--log-level', 'info', '--log-format', 'json'),
        tsnet.host.loadImage(),
        host.#startNullDriver(),
      ]);
      return host;
    } catch (error) {
      await lab.destroy();
      throw error;
    }
  }

  /** Version of the engine. */
  get engine(): string {
    return this.tsnet.host.engine.version;
  }

  /**
   * One call of the Engine API.
   * @param patience milliseconds until an answer
   * @returns milliseconds
   * @throws EngineHangs when none comes, Error when the status is not the wanted one
   */
  async call(
    method: string,
    path: string,
    wanted: number,
    body?: unknown,
    patience: number = PATIENCE,
  ): Promise<number> {
    const start = performance.now();
    const late = () => new EngineHangs(`bench: ${method} ${path}: no answer within ${patience / 1000} s`);
    const answer = await within(this.tsnet.host.api(method, path, body), patience, late);
    const took = performance.now() - start;
    if (answer.status === wanted) return took;
    throw new Error(`bench: ${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  }

  /** @returns milliseconds */
  createNetwork(name: string, { driver, subnet, range, gateway, options }: NetworkSpec): Promise<number> {
    const config = { Subnet: subnet, IPRange: range, Gateway: gateway };
    return this.call('POST', '/networks/create', 201, {
      Name: name,
      Driver: driver,
      IPAM: { Driver: 'default', Config: [config] },
      Options: options,
    });
  }

  /** @returns milliseconds */
  removeNetwork(name: string): Promise<number> {
    return this.call('DELETE', `/networks/${name}`, 204);
  }

  /** Starts a container that does nothing, by `docker run`. */
  async runIdle(name: string, network: string): Promise<void> {
    await this.tsnet.docker('run', '-d', '--name', name, '--network', network, 'busybox', 'sleep', '1d');
  }

  /** @throws Error when a link of tsnet is on the host, which has no network of tsnet any more */
  async expectClean(): Promise<void> {
    let left: string[] = [];
    const none = async () => {
      left = await this.tsnet.links();
      return left.length === 0;
    };
    await waitFor(none, { what: () => `links of tsnet to go: ${left.join(' ')}` });
  }

  async #startNullDriver(): Promise<void> {
    const { host } = this.tsnet;
    const socket = `/run/docker/plugins/${NULL_DRIVER}.sock`;
    await host.exec('mkdir', ['-p', '/run/docker/plugins']);
    await host.spawn('node', [join(import.meta.dirname, 'null-driver.ts'), socket]);
    const listens = async () => (await host.exec('test', ['-S', socket], { reject: false })).exitCode === 0;
    await waitFor(listens, { what: 'the null driver to listen' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lab.destroy();
  }
}
