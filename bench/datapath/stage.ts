import { TsnetHost } from '../../test/engine/support/tsnet-host.ts';
import type { Generation } from '../../test/lab/engines.ts';
import type { Host } from '../../test/lab/host.ts';
import { Lab } from '../../test/lab/lab.ts';
import { Client, type Place, serve } from './agents.ts';
import { type Case, type Net, type NetName, SUBJECTS, type Subject, subjectsOf } from './cases.ts';
import { lastPort } from './last-port.ts';
import { forgetSoon } from './tracking.ts';

/** Where a case's traffic starts and where it goes to. */
export interface Way {
  readonly client: Client;
  readonly address: string;
  readonly port: number;
}

/** Two throwaway hosts, and on them networks of all subjects with traffic clients and servers. */
export class Stage implements AsyncDisposable {
  readonly #lab: Lab;
  readonly #clients = new Map<string, Client>();
  readonly #servers = new Map<string, { address: string; port: number }>();

  private constructor(lab: Lab) {
    this.#lab = lab;
  }

  /** @throws Error when one of the many steps fails; nothing is left then */
  static async build(engine: Generation): Promise<Stage> {
    const stage = new Stage(await Lab.create({ hosts: [{ engine }, { engine }], nics: 2 }));
    try {
      await stage.#start();
      return stage;
    } catch (error) {
      await stage.#lab.destroy();
      throw error;
    }
  }

  /** The engines' version. */
  get engine(): string {
    return this.#lab.host().engine.version;
  }

  way({ net, client, by }: Case, subject: Subject): Way {
    const host = this.#lab.host(SUBJECTS[subject].host);
    const server = this.#servers.get(`${net}-${subject}`);
    const origins = { container: `${net}-${subject}`, lan: 'lan', host: host.name };
    const from = this.#clients.get(origins[client]);
    if (server === undefined || from === undefined) throw new Error(`bench: ${net} is not furnished`);
    const addresses = { container: server.address, host: host.address, loopback: '127.0.0.1' };
    return { client: from, address: addresses[by], port: server.port };
  }

  /** Makes the networks of that name, with their containers. */
  async furnish(name: NetName): Promise<void> {
    // The hosts at once, but one after the other what a host's engine has to do.
    await Promise.all(
      this.#lab.hosts.map(async (host, at) => {
        for (const [subject, net] of subjectsOf(name)) {
          if (SUBJECTS[subject].host === at) await this.#addNet(host, `${name}-${subject}`, subject, net);
        }
      }),
    );
  }

  async #start(): Promise<void> {
    const { hosts, lan } = this.#lab;
    await Promise.all([
      new TsnetHost(this.#lab.host(SUBJECTS.tsnet.host)).start('--log-level', 'info'),
      ...hosts.map(host => host.loadImage()),
    ]);
    for (const node of [lan, ...hosts]) await this.#addClient({ name: node.name, node });
  }

  async #addNet(host: Host, name: string, subject: Subject, { create, first, ports }: Net): Promise<void> {
    await docker(host, 'network', 'create', ...create, name);
    const published = Array.from({ length: ports }, (_, k) => ['-p', `0.0.0.0:${first + k}:${first + k}`]);
    const place = await container(host, `${name}-server`, name, published.flat());
    const { driver } = SUBJECTS[subject];
    const port = ports === 0 ? first : await lastPort(host, driver, first, ports);
    await serve(place, port);
    const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}';
    const address = await docker(host, 'inspect', '-f', format, place.name);
    this.#servers.set(name, { address, port });
    await this.#addClient(await container(host, `${name}-client`, name), name);
  }

  async #addClient(place: Place, name = place.name): Promise<void> {
    await forgetSoon(place);
    this.#clients.set(name, await Client.start(place));
  }

  /** Nothing is left of the hosts: what the engine would need minutes for is not asked of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lab.destroy();
  }
}

/** An idle container, as a place. */
async function container(
  host: Host,
  name: string,
  network: string,
  options: readonly string[] = [],
): Promise<Place> {
  await docker(host, 'run', '-d', '--name', name, '--network', network, ...options, 'busybox', 'sleep', '1d');
  const place = { name, node: host, pid: await docker(host, 'inspect', '-f', '{{.State.Pid}}', name) };
  await forgetSoon(place);
  return place;
}

async function docker(host: Host, ...args: string[]): Promise<string> {
  return String((await host.dockerWith({ reject: true }, ...args)).stdout).trim();
}
