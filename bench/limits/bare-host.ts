import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { BareDaemon, type DaemonOptions } from './bare-daemon.ts';

/** Keeps what it holds until its input ends, so nothing outlives the process that measures. */
const HOLD = 'mount -t tmpfs none /run && ip link set lo up && echo ready && exec cat';

/**
 * A host for the daemon alone, without an engine: a network namespace of its own and, for the namespaces that stand for
 * containers, a /run of its own. State and socket lie on the disk, where fsync(2) costs what it costs.
 */
export class BareHost implements AsyncDisposable {
  /** On the machine's disk: socket and state of the daemon. */
  readonly directory: string;
  readonly #pid: number;
  readonly #end: () => Promise<void>;
  readonly #daemons: BareDaemon[] = [];

  private constructor(directory: string, pid: number, end: () => Promise<void>) {
    this.directory = directory;
    this.#pid = pid;
    this.#end = end;
  }

  /** @throws Error without root */
  static async create(): Promise<BareHost> {
    const holder = spawn('unshare', ['--net', '--mount', '--propagation', 'private', 'sh', '-c', HOLD], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const exited = once(holder, 'exit');
    await Promise.race([
      once(holder.stdout, 'data'),
      exited.then(() => Promise.reject(new Error('limits: unshare failed: this needs root'))),
    ]);
    const directory = await mkdtemp(join(tmpdir(), 'tsnet-limits-'));
    const end = async () => {
      holder.stdin.end();
      await exited;
      await rm(directory, { recursive: true });
    };
    return new BareHost(directory, Number(holder.pid), end);
  }

  /** Runs a program there. @throws Error when it fails */
  async exec(file: string, args: readonly string[], input = ''): Promise<string> {
    return (await execa('nsenter', [...this.#enter(), file, ...args], { input })).stdout;
  }

  /** Makes network namespaces as an engine does for containers. @returns their paths, as SandboxKey names them */
  async sandboxes(prefix: string, count: number): Promise<string[]> {
    const names = Array.from({ length: count }, (_, k) => `${prefix}${k}`);
    await this.exec('ip', ['-batch', '-'], names.map(name => `netns add ${name}\n`).join(''));
    return names.map(name => `/run/netns/${name}`);
  }

  /** Names of the host's links. */
  async links(): Promise<string[]> {
    const lines = (await this.exec('ip', ['-o', 'link', 'show'])).split('\n');
    return lines.flatMap(line => /^\d+: ([^:@]+)/.exec(line)?.[1] ?? []);
  }

  /** Starts the daemon; the state is that of the one before. */
  start(options: DaemonOptions = {}): BareDaemon {
    const daemon = new BareDaemon(this.directory, this.#enter(), options);
    this.#daemons.push(daemon);
    return daemon;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#daemons.map(daemon => daemon.stop('SIGKILL')));
    await this.#end();
  }

  #enter(): string[] {
    return ['-t', String(this.#pid), '--net', '--mount'];
  }
}
