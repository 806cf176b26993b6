import type { BenchHost } from '../bench-host.ts';
import type { LeakRow } from '../report.ts';
import type { Subject } from '../samples.ts';

/**
 * Removes networks whose endpoints the engine may have miscounted: when containers connect and disconnect at once, it
 * can lose count, with any driver, and then refuses to remove the empty network (moby#17217, moby#42119). Engines of old
 * do worse at times: they wait for themselves, and answer no call about a network any more.
 */
export class Leaks {
  readonly #host: BenchHost;
  readonly #counts: Map<Subject, { storms: number; leaked: number; hung: number }>;

  constructor(host: BenchHost, subjects: readonly Subject[]) {
    this.#host = host;
    this.#counts = new Map(subjects.map(subject => [subject, { storms: 0, leaked: 0, hung: 0 }]));
  }

  /**
   * Removes a network without containers; where the engine says that it has some, after it has counted anew.
   * @returns whether it had to: all containers have ended then
   */
  async removeNetwork(subject: Subject, network: string): Promise<boolean> {
    const { host } = this.#host.tsnet;
    const { status, body } = await host.api('DELETE', `/networks/${network}`);
    const count = this.#counts.get(subject);
    if (count !== undefined) count.storms += 1;
    if (status === 204) return false;
    if (!JSON.stringify(body).includes('has active endpoints')) {
      throw new Error(`bench: network rm ${network}: ${status} ${JSON.stringify(body)}`);
    }
    if (count !== undefined) count.leaked += 1;
    await host.stopEngine();
    await host.startEngine();
    await this.#host.removeNetwork(network);
    return true;
  }

  /** Has the engine started anew that hangs in a storm, and removes the storm's containers and network. */
  async recover(subject: Subject, network: string, containers: readonly string[]): Promise<void> {
    const { host } = this.#host.tsnet;
    const count = this.#counts.get(subject);
    if (count !== undefined) count.hung += 1;
    await host.stopEngine('KILL');
    await host.startEngine();
    await this.#host.tsnet.docker('rm', '-f', ...containers);
    await this.#host.removeNetwork(network);
  }

  rows(): LeakRow[] {
    return [...this.#counts].map(([{ scenario, one }, counts]) => ({ scenario, case: one.name, ...counts }));
  }
}
