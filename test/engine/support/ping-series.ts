import type { Child } from '../../lab/child.ts';
import type { LabNode } from '../../lab/node.ts';
import { waitFor } from '../../lab/wait.ts';
import type { TsnetHost } from './tsnet-host.ts';

/** Milliseconds between two pings of a series. */
const PAUSE = 20;

/**
 * Pings without a pause in the background. In a container it runs in its network namespace without being one of its
 * processes, so that neither the engine nor the driver has any part in it.
 */
export class PingSeries {
  readonly #child: Child;

  private constructor(child: Child) {
    this.#child = child;
  }

  /** Starts a series and waits for its first answer. */
  static async start(
    from: LabNode | { on: TsnetHost; container: string },
    address: string,
  ): Promise<PingSeries> {
    const ping = ['busybox', 'ping', '-i', String(PAUSE / 1000), address];
    let child: Child;
    if ('on' in from) {
      const pid = await from.on.docker('inspect', '-f', '{{.State.Pid}}', from.container);
      child = await from.on.host.spawn('nsenter', ['-t', pid, '-n', ...ping]);
    } else {
      child = await from.spawn('busybox', ping.slice(1));
    }
    const series = new PingSeries(child);
    await series.more(1);
    return series;
  }

  /** Waits for further answers. */
  async more(count: number): Promise<void> {
    const goal = this.#answered().length + count;
    await waitFor(() => this.#answered().length >= goal || !this.#child.running, {
      what: () => `${count} more answers:\n${this.#child.output().slice(-500)}`,
    });
    if (!this.#child.running) throw new Error(`ping ended:\n${this.#child.output().slice(-500)}`);
  }

  /** Ends the series. @returns sequence numbers that were never answered, before the last one that was */
  async stop(): Promise<number[]> {
    await this.#child.stop('SIGINT');
    const answered = new Set(this.#answered());
    return Array.from({ length: Math.max(...answered) }, (_, seq) => seq).filter(seq => !answered.has(seq));
  }

  #answered(): number[] {
    return [...this.#child.output().matchAll(/ seq=(\d+) /g)].map(match => Number(match[1]));
  }
}

/** Runs a task while several series go on. @returns the unanswered of each, by what it was called */
export async function unansweredDuring(
  series: Record<string, [LabNode | { on: TsnetHost; container: string }, string]>,
  task: (more: (count: number) => Promise<void>) => Promise<void>,
): Promise<Record<string, number[]>> {
  const running = await Promise.all(
    Object.entries(series).map(
      async ([name, [from, to]]) => [name, await PingSeries.start(from, to)] as const,
    ),
  );
  await task(async count => {
    await Promise.all(running.map(([, one]) => one.more(count)));
  });
  const results = running.map(async ([name, one]) => [name, await one.stop()] as const);
  return Object.fromEntries(await Promise.all(results));
}
