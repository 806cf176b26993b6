import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Child } from '../../lab/child.ts';
import { findEngine, type Generation } from '../../lab/engines.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, type LabOptions } from '../../lab/lab.ts';

export const TSNET = join(import.meta.dirname, '../../../dist/tsnet');

export type EngineGeneration = Exclude<Generation, 'newest'>;

/**
 * The engine generations that every promise is tested on: before 28 the sandbox does not exist at Join, from 28 on it
 * does. The newer one is 26 from the day that Debian has no 28 any more: see scripts/setup/packages.sh.
 */
export const ENGINES: readonly EngineGeneration[] = [
  '20.10',
  (await findEngine('newest')).generation as EngineGeneration,
];

/** A lab host with the daemon under test on it. */
export class TsnetHost {
  readonly host: Host;
  #daemon: Child | undefined;
  readonly #logs: string[] = [];

  constructor(host: Host) {
    this.host = host;
  }

  /** Starts the daemon and waits until it listens. @param args more arguments of `tsnet serve` */
  async start(...args: string[]): Promise<void> {
    const log = join(this.host.dir, `tsnet-${this.#logs.length}.log`);
    this.#logs.push(log);
    this.#daemon = await this.host.spawn(TSNET, ['serve', '--log-level', 'debug', ...args], { log });
    // Not the socket itself: a killed daemon leaves its file behind.
    await this.#daemon.waitForOutput('listening', 10_000);
  }

  /** Ends the daemon as the service manager does (TERM) or as a crash does (KILL). */
  async stop(signal: 'TERM' | 'KILL' = 'TERM'): Promise<void> {
    await this.#daemon?.stop(`SIG${signal}`);
    this.#daemon = undefined;
  }

  async restart(signal: 'TERM' | 'KILL' = 'TERM'): Promise<void> {
    await this.stop(signal);
    await this.start();
  }

  /** Everything the daemon has logged on this host. */
  log(): string {
    return this.#logs.map(log => readFileSync(log, 'utf8')).join('');
  }

  /** Runs docker and returns what it printed. @throws Error with its words and the daemon's log when it fails */
  async docker(...args: string[]): Promise<string> {
    const result = await this.host.docker(...args);
    if (result.exitCode !== 0) {
      throw new Error(
        `docker ${args.join(' ')}: ${result.stderr}\n${this.log().split('\n').slice(-15).join('\n')}`,
      );
    }
    return String(result.stdout).trim();
  }

  /** Runs docker, which has to fail. @returns what it complained of */
  async refused(...args: string[]): Promise<string> {
    const result = await this.host.docker(...args);
    if (result.exitCode === 0) throw new Error(`docker ${args.join(' ')} succeeded: ${result.stdout}`);
    return String(result.stderr);
  }

  /** Whether an address answers one ping, from the host or from a container. */
  async pings(address: string, from: { container?: string } = {}): Promise<boolean> {
    const ping = ['ping', '-c', '1', '-W', '2', address];
    const result =
      from.container === undefined
        ? await this.host.exec('busybox', ping, { reject: false })
        : await this.host.docker('exec', from.container, ...ping);
    return result.exitCode === 0;
  }

  /** `docker inspect` of a container's attachment to a network. */
  async attachment(container: string, network: string): Promise<Record<string, unknown>> {
    const all = JSON.parse(
      await this.docker('inspect', '-f', '{{json .NetworkSettings.Networks}}', container),
    );
    return all[network];
  }

  /** The host's links that bear tsnet's mark, by name. */
  async links(): Promise<string[]> {
    const { stdout } = await this.host.exec('ip', ['-j', 'link']);
    return (JSON.parse(String(stdout)) as { ifname: string; ifalias?: string }[])
      .filter(link => link.ifalias?.startsWith('tsnet:'))
      .map(link => link.ifname);
  }
}

/** A lab with the daemon and the busybox image on every host. */
export async function tsnetLab(options: LabOptions): Promise<{ lab: Lab; hosts: TsnetHost[] }> {
  const lab = await Lab.create(options);
  try {
    const hosts = await Promise.all(
      lab.hosts.map(async host => {
        const tsnet = new TsnetHost(host);
        await Promise.all([tsnet.start(), host.loadImage()]);
        return tsnet;
      }),
    );
    return { lab, hosts };
  } catch (error) {
    await lab.destroy();
    throw error;
  }
}
