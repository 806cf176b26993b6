import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/** A standing `ip -j -batch -`: one line of JSON for each command, and no process to be started for it. */
export class IpReader {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting: ((line: string) => void)[] = [];
  readonly #exited: Promise<void>;

  constructor(...options: readonly string[]) {
    const args = ['-oL', 'ip', ...options, '-j', '-force', '-batch', '-'];
    // Out of the process group: an interrupt is for the fuzzer, which asks to its end.
    this.#process = spawn('stdbuf', args, { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
    createInterface({ input: this.#process.stdout }).on('line', line => this.#waiting.shift()?.(line));
    this.#exited = new Promise(resolve => this.#process.once('exit', () => resolve()));
  }

  /** @param command one that prints a list: `addr show` */
  async ask(command: string): Promise<Record<string, unknown>[]> {
    const { promise, resolve } = Promise.withResolvers<string>();
    this.#waiting.push(resolve);
    this.#process.stdin.write(`${command}\n`);
    return JSON.parse(await promise) as Record<string, unknown>[];
  }

  async close(): Promise<void> {
    this.#process.stdin.end();
    await this.#exited;
  }
}
