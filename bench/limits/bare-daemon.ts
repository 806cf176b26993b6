import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PluginClient } from './plugin-client.ts';

const TSNET = join(import.meta.dirname, '../../dist/tsnet');

export interface DaemonOptions {
  /** NODE_OPTIONS for the daemon's runtime. */
  readonly nodeOptions?: string;
  /** More of the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Memory of a process, in MB of 2^20 bytes. */
export interface Memory {
  /** What the kernel counts as resident: `own` and `shared` together. */
  readonly resident: number;
  /** Private: heap and stacks. */
  readonly own: number;
  /** Pages of files that are mapped, above all of the executable: with the kernel's read-ahead, used or not. */
  readonly files: number;
}

/** dist/tsnet in a namespace, from its start to its end. */
export class BareDaemon {
  readonly client: PluginClient;
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #started = performance.now();
  readonly #log: string;

  /** @param enter arguments that bring nsenter to the place */
  constructor(directory: string, enter: readonly string[], { nodeOptions, env }: DaemonOptions) {
    const socket = join(directory, 'tsnet.sock');
    const args = ['--socket', socket, '--state', join(directory, 'state'), '--docker-socket', ''];
    this.#log = join(directory, 'log');
    const log = openSync(this.#log, 'w');
    // nsenter becomes the daemon: its process id is the daemon's.
    this.#process = spawn('nsenter', [...enter, TSNET, 'serve', ...args], {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...env, ...(nodeOptions === undefined ? {} : { NODE_OPTIONS: nodeOptions }) },
    });
    closeSync(log);
    this.#exited = new Promise(resolve => this.#process.once('exit', resolve));
    this.client = new PluginClient(socket);
  }

  /**
   * Waits for the answer to a question; until the socket is there, and the host restored, there is none.
   * @returns milliseconds since the process was started
   * @throws Error with the log when the daemon ends
   */
  async firstAnswer(method: string, body?: object): Promise<number> {
    for (;;) {
      try {
        await this.client.call(method, body);
        return performance.now() - this.#started;
      } catch (error) {
        if (!ABSENT.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
      }
      if (this.#process.exitCode !== null) throw new Error(`limits: the daemon has ended:\n${this.log()}`);
      // Not at once: the daemon needs the processor more.
      await new Promise(resolve => setTimeout(resolve, 1));
    }
  }

  /** Waits until the host is restored. */
  async ready(): Promise<this> {
    await this.firstAnswer('NetworkDriver.FreeNetwork', { NetworkID: 'a'.repeat(25) });
    return this;
  }

  memory(): Memory {
    const status = readFileSync(`/proc/${this.#process.pid}/status`, 'utf8');
    const of = (field: string) => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024;
    return { resident: of('VmRSS'), own: of('RssAnon'), files: of('RssFile') + of('RssShmem') };
  }

  /** Niceness of the event loop's thread, and of all others. */
  niceness(): { readonly loop: number; readonly others: readonly number[] } {
    const { pid } = this.#process;
    const of = (thread: string) => {
      // The fields after the name, which may hold blanks: the first is number 3 of proc_pid_stat(5), niceness is 19.
      const fields = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8').split(') ').at(-1)?.split(' ');
      return Number(fields?.[16]);
    };
    const others = readdirSync(`/proc/${pid}/task`).filter(thread => thread !== String(pid));
    return { loop: of(String(pid)), others: others.map(of) };
  }

  /** A signal that does not end it. */
  signal(name: NodeJS.Signals): void {
    this.#process.kill(name);
  }

  log(): string {
    return readFileSync(this.#log, 'utf8');
  }

  /** Ends it, unless it has ended. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    this.client.close();
    this.#process.kill(signal);
    await this.#exited;
  }
}

/** There is no socket yet, or that of the daemon before. */
const ABSENT = new Set(['ENOENT', 'ECONNREFUSED']);
