import type { TsnetHost } from '../test/engine/support/tsnet-host.ts';
import { waitFor } from '../test/lab/wait.ts';

/** Knows what links a host and its measured containers have while nothing is connected, and waits for that state. */
export class Settler {
  readonly #host: TsnetHost;
  readonly #line: string;
  #idle = '';

  private constructor(host: TsnetHost, pids: readonly string[]) {
    this.#host = host;
    // the engine's numbers of processes are those of the host's own pid namespace
    const inside = pids.map(pid => `nsenter -t ${pid} -n ip -br link`);
    this.#line = ['ip -br link', ...inside].join('; ');
  }

  /** @param containers names, running, on their base networks only */
  static async of(host: TsnetHost, containers: readonly string[]): Promise<Settler> {
    const pids = await host.docker('inspect', '-f', '{{.State.Pid}}', ...containers);
    const settler = new Settler(host, pids.split('\n'));
    settler.#idle = await settler.#links();
    return settler;
  }

  /**
   * Waits until all that was connected is gone from the kernel, too: drivers answer before they have deleted.
   *
   * @returns milliseconds that this took
   * @throws Error that names the links when it takes more than 10 s
   */
  async settled(): Promise<number> {
    const start = performance.now();
    let links = '';
    await waitFor(
      async () => {
        links = await this.#links();
        return links === this.#idle;
      },
      { what: () => `the links to be as before:\n${this.#idle}\nbut they are:\n${links}` },
    );
    return performance.now() - start;
  }

  /** The links' names, sorted. */
  async #links(): Promise<string> {
    const { stdout } = await this.#host.host.sh(this.#line);
    const names = String(stdout)
      .split('\n')
      .map(line => line.split(/[\s@]/)[0]);
    return names.sort().join(' ');
  }
}
