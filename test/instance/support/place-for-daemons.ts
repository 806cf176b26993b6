import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { PluginClient } from '../../../bench/limits/plugin-client.ts';
import { waitFor } from '../../lab/wait.ts';

const TSNET = join(import.meta.dirname, '../../../dist/tsnet');
/** Keeps the namespaces until its input ends. */
const HOLD = 'mount -t tmpfs none /run && mkdir /run/netns && ip link set lo up && echo ready && exec cat';

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Program and arguments that start the daemon with less than it wants. */
  readonly by?: readonly string[];
}

/** A tsnet and what it says. */
export interface Started {
  readonly client: PluginClient;
  /** Folder of its state. */
  readonly state: string;
  log(): string;
  says(words: string | RegExp, timeout?: number): Promise<void>;
  /** @returns the words of a call's refusal; '' when it succeeds */
  refusal(method: string, body?: object): Promise<string>;
  /** @returns the status that it has ended with; undefined after a signal */
  ended(): Promise<number | undefined>;
  end(signal?: NodeJS.Signals): Promise<void>;
}

/**
 * A network namespace and a folder that stands for /run/docker, in which several tsnets run, as managed plugins or not; no
 * engine.
 */
export class PlaceForDaemons implements AsyncDisposable {
  /** Stands for the host's /run/docker. */
  readonly dir: string;
  readonly #pid: number;
  readonly #leave: () => Promise<void>;
  readonly #started: Started[] = [];

  private constructor(dir: string, pid: number, leave: () => Promise<void>) {
    this.dir = dir;
    this.#pid = pid;
    this.#leave = leave;
  }

  static async create(): Promise<PlaceForDaemons> {
    const holder = spawn('unshare', ['--net', '--mount', '--propagation', 'private', 'sh', '-ec', HOLD], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const exited = once(holder, 'exit');
    await Promise.race([
      once(holder.stdout, 'data'),
      exited.then(() => Promise.reject(new Error('unshare failed: these tests need root'))),
    ]);
    const dir = mkdtempSync(join(tmpdir(), 'tsnet-place-'));
    mkdirSync(join(dir, 'plugins'));
    return new PlaceForDaemons(dir, Number(holder.pid), async () => {
      holder.stdin.end();
      await exited;
      rmSync(dir, { recursive: true });
    });
  }

  /** Starts tsnet as the engine does in a managed plugin. @param id 64 hexadecimal digits */
  plugin(id: string, options: StartOptions = {}): Started {
    const own = join(this.dir, `own-${id.slice(0, 4)}`);
    mkdirSync(join(this.dir, 'plugins', id), { recursive: true });
    rmSync(own, { force: true });
    // stands for the mount of the folder, and makes the path short enough for a socket
    symlinkSync(join('plugins', id), own);
    return this.#start(`state-${id.slice(0, 4)}`, join(own, 'tsnet.sock'), ['--managed', this.dir], options);
  }

  /** Starts tsnet as a service. @param socket in the folder */
  daemon(socket = 'plugins/tsnet.sock', options: StartOptions = {}): Started {
    return this.#start(`state-${socket.replaceAll('/', '-')}`, join(this.dir, socket), [], options);
  }

  /** Runs a shell script there. */
  async sh(script: string): Promise<string> {
    const { stdout } = await execa('nsenter', [...this.#enter(), 'sh', '-ec', script]);
    return String(stdout);
  }

  /** Names of the links that bear tsnet's mark. */
  async links(): Promise<string[]> {
    const links = JSON.parse((await this.sh('ip -j link')) || '[]') as { ifname: string; ifalias?: string }[];
    return links.filter(link => link.ifalias?.startsWith('tsnet:')).map(link => link.ifname);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#started.map(one => one.end('SIGKILL')));
    await this.#leave();
  }

  #enter(): string[] {
    return ['-t', String(this.#pid), '--net', '--mount'];
  }

  #start(
    state: string,
    socket: string,
    args: readonly string[],
    { env = {}, by = [] }: StartOptions,
  ): Started {
    const options = ['--socket', socket, '--state', join(this.dir, state), '--docker-socket', '/dev/null'];
    const logFile = join(this.dir, `log-${this.#started.length}`);
    const fd = openSync(logFile, 'w');
    const command = [...this.#enter(), ...by, TSNET, 'serve', ...options, ...args];
    const child = spawn('nsenter', command, { stdio: ['ignore', fd, fd], env: { ...process.env, ...env } });
    closeSync(fd);
    const exited = once(child, 'exit') as Promise<[number | null]>;
    const log = () => readFileSync(logFile, 'utf8');
    const client = new PluginClient(socket);
    const matches = (words: string | RegExp) =>
      typeof words === 'string' ? log().includes(words) : words.test(log());
    const started: Started = {
      client,
      state: join(this.dir, state),
      log,
      says: async (words, timeout = 15_000) => {
        await waitFor(() => matches(words), { timeout, what: () => `${words} in:\n${log()}` });
      },
      refusal: (method, body) =>
        client.call(method, body).then(
          () => '',
          (error: Error) => error.message,
        ),
      ended: async () => (await exited)[0] ?? undefined,
      end: async (signal = 'SIGTERM') => {
        client.close();
        child.kill(signal);
        await exited;
      },
    };
    this.#started.push(started);
    return started;
  }
}

/** An id as the engine gives it. */
export const networkId = (digit: string): string => digit.repeat(64);

/** What an engine asks for with `docker network create`. @param subnet third number of a /24 */
export const createNetwork = (
  id: string,
  subnet: number,
  options: Readonly<Record<string, string>> = {},
) => ({
  NetworkID: id,
  Options: { 'com.docker.network.generic': options },
  IPv4Data: [
    { AddressSpace: 'x', Pool: `198.18.${subnet}.0/24`, Gateway: `198.18.${subnet}.1/24`, AuxAddresses: {} },
  ],
  IPv6Data: [],
});
