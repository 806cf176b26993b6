import { readFileSync } from 'node:fs';
import type { LabNode } from '../test/lab/node.ts';
import { waitFor } from '../test/lab/wait.ts';
import type { BenchHost } from './bench-host.ts';

/** Knows what links a host and its measured containers have while nothing is connected, and waits for that state. */
export class Settler {
  readonly #files: readonly string[];
  readonly #elsewhere: LabNode;
  #idle: string;

  /** @param elsewhere a node whose links nobody watches */
  private constructor(files: readonly string[], elsewhere: LabNode) {
    this.#files = files;
    this.#elsewhere = elsewhere;
    this.#idle = this.#links();
  }

  /** @param containers names, running, on their base networks only */
  static async of({ tsnet, lab }: BenchHost, containers: readonly string[]): Promise<Settler> {
    const pids = await tsnet.docker('inspect', '-f', '{{.State.Pid}}', ...containers);
    // The engine's numbers of processes are those of the host's own pid namespace. Read from outside, a look costs
    // next to nothing, so that it neither takes time from what is waited for nor adds to it.
    const proc = `/proc/${tsnet.host.pid}/root/proc`;
    const files = ['1', ...pids.split('\n')].map(pid => `${proc}/${pid}/net/dev`);
    return new Settler(files, lab.lan);
  }

  /** Takes the present state for the one to wait for: a measured network has been made, or removed. */
  expectThis(): void {
    this.#idle = this.#links();
  }

  /**
   * Waits until all that was connected is gone from the kernel, too: drivers answer before they have deleted.
   *
   * @returns milliseconds until the links were gone, give or take the ten between two looks
   * @throws Error that names the links when it takes more than 10 s
   */
  async settled(): Promise<number> {
    const start = performance.now();
    let links = '';
    const settled = () => {
      links = this.#links();
      return links === this.#idle;
    };
    const what = () => `the links to be as before:\n${this.#idle}\nbut they are:\n${links}`;
    await waitFor(settled, { what });
    const took = performance.now() - start;
    // A link that no list shows may still be in the making of its end (netdev_run_todo). Barriers take turns, so that
    // once another link's deletion has ended, those before it have, too.
    await this.#elsewhere.sh('ip link add settle type veth peer settled; ip link del settle');
    return took;
  }

  /** The links' names by place, sorted. */
  #links(): string {
    return this.#files.map(file => linkNames(readFileSync(file, 'utf8'))).join(' | ');
  }
}

/** @param table as of /proc/PID/net/dev: two lines of head, then `name: figures` */
const linkNames = (table: string): string =>
  table
    .trimEnd()
    .split('\n')
    .slice(2)
    .map(line => line.split(':')[0]?.trim())
    .sort()
    .join(' ');
