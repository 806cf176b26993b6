import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface Answer {
  readonly value?: string | null;
  readonly code?: string;
  readonly what?: string;
}

const CHILD = new URL('child.ts', import.meta.url).pathname;

/** A store in another process, which may be in a mount namespace of its own. */
export class StoreProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  #stderr = '';

  /** @param setup shell command run first in a mount namespace of its own, with the directory as $1 */
  constructor(directory: string, setup?: string) {
    const script = `${setup ?? 'true'} && exec "$0" "$2" "$1"`;
    const argv = ['/bin/sh', '-ec', script, process.execPath, directory, CHILD];
    const [command = '', ...rest] = setup === undefined ? argv : ['unshare', '-m', ...argv];
    this.#child = spawn(command, rest);
    this.#child.stderr.on('data', (data: Buffer) => {
      this.#stderr += data;
    });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  put(name: string, value: string): Promise<Answer> {
    return this.#call([name, value]);
  }

  get(name: string): Promise<Answer> {
    return this.#call([name, null]);
  }

  /** Runs a shell command where the process sees its mounts. */
  inside(script: string): void {
    const { pid } = this.#child;
    const { status, stderr } = spawnSync('nsenter', ['-t', String(pid), '-m', '/bin/sh', '-ec', script], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${script}: ${stderr}`);
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exit;
  }

  /** Sends without waiting for the answer. */
  send(name: string, value: string | null): void {
    this.#child.stdin.write(`${JSON.stringify([name, value])}\n`);
  }

  async answer(): Promise<Answer> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error(`the process ended: ${this.#stderr}`);
    return JSON.parse(value) as Answer;
  }

  #call([name, value]: [string, string | null]): Promise<Answer> {
    this.send(name, value);
    return this.answer();
  }
}
