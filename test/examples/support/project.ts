import { existsSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TsnetHost } from '../../engine/support/tsnet-host.ts';
import { cacheDir } from '../../lab/paths.ts';

/** A mapping of a compose file. */
export type Section = Readonly<Record<string, unknown>>;

/** A compose that is newer than the lab's own: see scripts/setup/packages.sh. */
const NEWEST = join(cacheDir(), 'compose-newest/docker-compose');

/** Whether there is one. */
export const hasNewest = (): boolean => existsSync(NEWEST);

/** A compose project named `keys` whose services idle; what they and their networks are is written anew by each test. */
export class Project {
  readonly #host: TsnetHost;
  readonly #newest: boolean;

  /** @param newest whether the newest compose runs it, instead of the lab's own */
  constructor(host: TsnetHost, newest = false) {
    this.#host = host;
    this.#newest = newest;
  }

  /** @param networks of the project; the driver is tsnet unless they say otherwise */
  async up(services: Record<string, Section>, networks: Record<string, Section>): Promise<void> {
    await this.#write(services, networks);
    const { exitCode, stderr } = await this.#compose('up', '-d');
    if (exitCode !== 0) throw new Error(`docker compose up: ${stderr}\n${this.#host.log().slice(-3000)}`);
  }

  /** Brings up what cannot be, and removes what there is of it. @returns what compose complained of */
  async refused(services: Record<string, Section>, networks: Record<string, Section>): Promise<string> {
    await this.#write(services, networks);
    const { exitCode, stdout, stderr } = await this.#compose('up', '-d');
    if (exitCode === 0) throw new Error('docker compose up succeeded');
    await this.#compose('down', '-t', '0');
    return `${stdout}\n${stderr}`;
  }

  /** Name of the container of a service. */
  container(service: string): string {
    return `keys-${service}-1`;
  }

  async #write(services: Record<string, Section>, networks: Record<string, Section>): Promise<void> {
    const idle = { image: 'busybox', command: 'sleep 1d', stop_grace_period: '0s' };
    const file = {
      name: 'keys',
      services: Object.fromEntries(Object.entries(services).map(([name, of]) => [name, { ...idle, ...of }])),
      networks: Object.fromEntries(
        Object.entries(networks).map(([name, of]) => [name, { driver: 'tsnet', ...of }]),
      ),
    };
    await writeFile(this.#file, JSON.stringify(file)); // JSON is YAML
  }

  async #compose(...args: string[]) {
    const env = this.#newest ? { DOCKER_CONFIG: await this.#newestConfig() } : {};
    return this.#host.host.dockerWith({ env }, 'compose', '-f', this.#file, ...args);
  }

  get #file(): string {
    return join(this.#host.host.dir, 'keys.yaml');
  }

  /** A configuration directory of the docker client with the newest compose as a plugin. */
  async #newestConfig(): Promise<string> {
    const config = join(this.#host.host.dir, 'docker-client-newest');
    if (existsSync(config)) return config;
    await mkdir(join(config, 'cli-plugins'), { recursive: true });
    await symlink(NEWEST, join(config, 'cli-plugins/docker-compose'));
    return config;
  }
}
