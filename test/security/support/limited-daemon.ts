import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BareDaemon } from '../../../bench/limits/bare-daemon.ts';
import { type TestNamespace, testNamespace } from '../../kernel/namespace.ts';
import { waitFor } from '../../lab/wait.ts';

const UNIT = join(import.meta.dirname, '../../../plugin/systemd/tsnet.service');

/** The capabilities that the service unit leaves to the daemon, as setpriv(1) names them. */
export async function grantedByUnit(): Promise<string[]> {
  const line = /^CapabilityBoundingSet=(.*)$/m.exec(await readFile(UNIT, 'utf8'))?.[1] ?? '';
  return line.split(' ').map(name => name.replace(/^CAP_/, '').toLowerCase());
}

const NETWORK = '1'.repeat(64);
const ENDPOINT = { NetworkID: NETWORK, EndpointID: '2'.repeat(64) };
/** Listens as a user without rights, whose open files are that one's to see, and of those who may read everything. */
const LISTENER = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', 'busybox', 'nc'];

/** dist/tsnet as root with some capabilities only, and one container's namespace. */
export class LimitedDaemon implements AsyncDisposable {
  readonly #daemon: BareDaemon;
  readonly #host: TestNamespace;
  readonly #container: TestNamespace;
  readonly #directory: string;

  private constructor(host: TestNamespace, container: TestNamespace, directory: string, granted: string) {
    this.#host = host;
    this.#container = container;
    this.#directory = directory;
    const enter = [`--net=${host.path}`, 'setpriv', '--bounding-set', granted];
    this.#daemon = new BareDaemon(directory, enter, {});
  }

  /** @param capabilities as setpriv(1) names them */
  static async start(capabilities: readonly string[]): Promise<LimitedDaemon> {
    const directory = await mkdtemp(join(tmpdir(), 'tsnet-security-'));
    const granted = ['-all', ...capabilities.map(name => `+${name}`)].join(',');
    return new LimitedDaemon(await testNamespace(), await testNamespace(), directory, granted);
  }

  get log(): string {
    return this.#daemon.log();
  }

  niceness(): number {
    return this.#daemon.niceness().loop;
  }

  /** @returns what refused it, or nothing */
  async createNetwork(): Promise<string> {
    await this.#daemon.firstAnswer('NetworkDriver.GetCapabilities');
    const generic = { attach: 'inside', 'com.docker.network.advertise_addr_ms': '100' };
    return this.#refusal('NetworkDriver.CreateNetwork', {
      NetworkID: NETWORK,
      Options: { 'com.docker.network.generic': generic },
      IPv4Data: [{ Pool: '198.18.1.0/24', Gateway: '198.18.1.1/24' }],
      IPv6Data: [],
    });
  }

  /** Attaches the container, whose interface is to be made inside. @returns who has put it there */
  async attach(): Promise<'inside' | 'engine'> {
    const { client } = this.#daemon;
    await client.call('NetworkDriver.CreateEndpoint', {
      ...ENDPOINT,
      Interface: { Address: '198.18.1.2/24' },
    });
    const join = { ...ENDPOINT, SandboxKey: this.#container.path, Options: {} };
    await client.call('NetworkDriver.Join', join);
    const { attached } = await client.call('Tsnet.Status');
    return (attached as { inside: number }).inside === 1 ? 'inside' : 'engine';
  }

  /** Publishes a port and takes it back. @returns what refused it, or nothing */
  async publish(port: number): Promise<string> {
    const map = [{ Proto: 6, Port: 80, HostPort: port, HostPortEnd: port }];
    const body = { ...ENDPOINT, Options: { 'com.docker.network.portmap': map } };
    const refusal = await this.#refusal('NetworkDriver.ProgramExternalConnectivity', body);
    await this.#daemon.client.call('NetworkDriver.RevokeExternalConnectivity', ENDPOINT);
    return refusal;
  }

  /** Has another user's process take port 8080 while something is done. */
  async whileTaken<T>(action: () => Promise<T>): Promise<T> {
    const args = [`--net=${this.#host.path}`, ...LISTENER, '-ll', '-p', '8080', '-e', 'true'];
    const listener = spawn('nsenter', args, { stdio: ['ignore', 'ignore', 'inherit'] });
    const exited = once(listener, 'exit');
    try {
      const isListening = async () => (await this.#host.sh('ss -Hltn sport = :8080')) !== '';
      await waitFor(isListening, { what: 'the other process to listen' });
      return await action();
    } finally {
      listener.kill();
      await exited;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon.stop();
    await Promise.all([this.#host, this.#container].map(namespace => namespace[Symbol.asyncDispose]()));
    await rm(this.#directory, { recursive: true });
  }

  async #refusal(method: string, body: object): Promise<string> {
    try {
      await this.#daemon.client.call(method, body);
      return '';
    } catch (error) {
      return String(error);
    }
  }
}
