import { LAN4 } from '../../test/engine/support/macvlan-lab.ts';
import { TsnetHost } from '../../test/engine/support/tsnet-host.ts';
import type { Generation } from '../../test/lab/engines.ts';
import { Lab } from '../../test/lab/lab.ts';
import { judge, logEnds } from '../judge/judge.ts';
import type { WorldNetwork } from '../world/types.ts';
import { unreached } from './reach.ts';

/** A container of the storm. */
export interface Member {
  readonly name: string;
  readonly network: 'web' | 'lan';
  /** Port of the host, published from the container's port 80. */
  readonly port: number | undefined;
}

/** Milliseconds that links may take to go after the engine has answered for ten containers at once. */
const PATIENCE = 15_000;
const PLACES = { stateDir: '/var/lib/tsnet', socket: '/run/docker/plugins/tsnet.sock' } as const;
const [WEB, LAN] = ['198.18.64.0/23', '198.18.0.0/24'];

/** What the judge is told of. */
const NETWORKS: ReadonlyMap<string, WorldNetwork> = new Map([
  ['web', { name: 'web', mode: 'bridge', subnet4: WEB, ipam: 'tsnet', uncertain: false }],
  ['lan', { name: 'lan', mode: 'macvlan', subnet4: LAN, ipam: 'default', parent: 'eth0', uncertain: false }],
]);

/** A throwaway host with the daemon as it is run for work, and a bridge and a macvlan network. */
export class StormHost implements AsyncDisposable {
  readonly lab: Lab;
  readonly tsnet: TsnetHost;
  #judged = { engine: 0, daemon: 0 };

  private constructor(lab: Lab) {
    this.lab = lab;
    this.tsnet = new TsnetHost(lab.host());
  }

  static async boot(engine: Generation): Promise<StormHost> {
    const storm = new StormHost(await Lab.create({ hosts: [{ engine }] }));
    const { tsnet } = storm;
    try {
      const start = tsnet.start('--log-level', 'debug', '--log-format', 'json');
      await Promise.all([start, tsnet.host.loadImage()]);
      const create = ['network', 'create', '-d', 'tsnet'];
      await tsnet.docker(...create, '--ipam-driver', 'tsnet', '--subnet', WEB, 'web');
      const lan = [
        ...LAN4,
        '--ip-range',
        '198.18.0.128/25',
        '-o',
        'parent=eth0',
        '-o',
        'publish=both',
        'lan',
      ];
      await tsnet.docker(...create, ...lan);
      return storm;
    } catch (error) {
      await storm[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Creates and starts a container, as `docker run -d` does. @throws Error with the engine's words */
  async up({ name, network, port }: Member): Promise<void> {
    const bindings = port === undefined ? {} : { '80/tcp': [{ HostPort: String(port) }] };
    await this.#call('POST', `/containers/create?name=${name}`, 201, {
      Image: 'busybox',
      Cmd: ['httpd', '-f', '-p', '80'],
      ExposedPorts: { '80/tcp': {} },
      HostConfig: { NetworkMode: network, PortBindings: bindings },
    });
    await this.#call('POST', `/containers/${name}/start`, 204);
  }

  /** As `docker rm -f`. @throws Error with the engine's words */
  async down({ name }: Member): Promise<void> {
    await this.#call('DELETE', `/containers/${name}?force=1&v=1`, 204);
  }

  /** Those that do not answer: addresses from the host, published ports from the LAN. @returns `storm-3 at 198.18.64.7` */
  async deaf(members: readonly Member[]): Promise<string[]> {
    const addresses = new Map<string, string>();
    for (const network of ['web', 'lan']) {
      const { body } = await this.tsnet.host.api('GET', `/networks/${network}`);
      const { Containers } = body as { Containers: Record<string, { Name: string; IPv4Address: string }> };
      for (const { Name, IPv4Address } of Object.values(Containers)) {
        addresses.set(IPv4Address.split('/')[0] ?? '', Name);
      }
    }
    const missing = members.length - addresses.size;
    const ports = members.flatMap(({ port }) => (port === undefined ? [] : [port]));
    const silent = await unreached(this.lab, [...addresses.keys()], ports);
    return [
      ...(missing === 0 ? [] : [`${missing} containers are on no network`]),
      ...silent.map(at => `${addresses.get(at) ?? 'a published port'} at ${at}`),
    ];
  }

  /** Has the judge look at the host when all containers have gone. @returns what is there that belongs to nothing, and what is missing */
  async violations(): Promise<string[]> {
    const { tsnet, lab } = this;
    const target = { host: tsnet.host, lan: lab.lan, daemon: { ...PLACES, log: () => tsnet.log() } };
    const world = { networks: NETWORKS, containers: new Map() };
    const found = await judge({ ...target, world, judged: this.#judged, patience: PATIENCE });
    this.#judged = logEnds(target);
    return found.map(({ rule, subject, detail }) => `${rule}: ${subject}: ${detail}`);
  }

  async #call(method: string, path: string, wanted: number, body?: unknown): Promise<void> {
    const answer = await this.tsnet.host.api(method, path, body);
    if (answer.status === wanted) return;
    throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lab.destroy();
  }
}
