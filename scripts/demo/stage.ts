import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { TSNET, TsnetHost } from '../../test/engine/support/tsnet-host.ts';
import type { Generation } from '../../test/lab/engines.ts';
import type { Host } from '../../test/lab/host.ts';
import { Lab } from '../../test/lab/lab.ts';
import { step } from './terminal.ts';

const COMPOSE_FILE = join(import.meta.dirname, 'compose.yaml');

/** A container's attachment to one network; the address bare. */
export interface Attachment {
  readonly container: string;
  readonly network: string;
  readonly networkId: string;
  readonly endpointId: string;
  readonly address: string;
  /** Number of its first process in the host's pid namespace. */
  readonly pid: number;
}

interface Inspected {
  Name: string;
  State: { Pid: number };
  NetworkSettings: {
    Networks: Record<string, { NetworkID: string; EndpointID: string; IPAddress: string }>;
  };
}

/** Where the demo plays: a Docker host with tsnet, and another machine on its LAN without either. */
export class Stage {
  readonly #lab: Lab;
  readonly tsnet: TsnetHost;
  readonly peer: Host;

  private constructor(lab: Lab) {
    this.#lab = lab;
    this.tsnet = new TsnetHost(lab.host(0));
    this.peer = lab.host(1);
  }

  static async set(engine: Generation): Promise<Stage> {
    // the engine is started by hand, after tsnet: that is the order in which systemd starts them
    const hosts = [{ engine, autostart: false }, { autostart: false }];
    const stage = new Stage(await Lab.create({ hosts, disk: 'dir' }));
    try {
      await stage.startServices();
      await stage.host.loadImage();
      return stage;
    } catch (error) {
      await stage.destroy();
      throw error;
    }
  }

  /** Path of the tsnet that runs. */
  get program(): string {
    return TSNET;
  }

  get host(): Host {
    return this.tsnet.host;
  }

  async startServices(): Promise<void> {
    await this.tsnet.start('--log-level', 'info');
    await this.host.startEngine();
  }

  /** Shows and runs `docker ...`. @throws Error when it fails */
  async docker(line: string, outcome: (output: string) => string = () => 'done'): Promise<string> {
    return step(`docker ${line}`, () => this.tsnet.docker(...line.split(' ')), outcome);
  }

  /** Starts an idle container that comes back with the host, and shows its address. */
  async run(name: string, network: string): Promise<void> {
    const line = `run -d --name ${name} --network ${network} --restart unless-stopped busybox sleep 1d`;
    await step(
      `docker ${line}`,
      async () => {
        await this.tsnet.docker(...line.split(' '));
        return this.addressOf(name);
      },
      address => `${name} runs at ${address}`,
    );
  }

  /** Shows and runs `docker compose ...` with the project beside this file. */
  async compose(line: string, outcome: () => Promise<string>): Promise<void> {
    const run = async () => {
      await this.tsnet.docker('compose', '-f', COMPOSE_FILE, ...line.split(' '));
      return outcome();
    };
    await step(`docker compose -f scripts/demo/compose.yaml ${line}`, run, text => text);
  }

  /** What every container is attached to. */
  async attachments(): Promise<Attachment[]> {
    const ids = (await this.tsnet.docker('ps', '-q')).split('\n').filter(id => id !== '');
    if (ids.length === 0) return [];
    const containers: Inspected[] = JSON.parse(await this.tsnet.docker('inspect', ...ids));
    return containers.flatMap(({ Name, State, NetworkSettings }) =>
      Object.entries(NetworkSettings.Networks).map(([network, its]) => ({
        container: Name.slice(1),
        network,
        networkId: its.NetworkID,
        endpointId: its.EndpointID,
        address: its.IPAddress,
        pid: State.Pid,
      })),
    );
  }

  /** The bare address of a container on its only network. @throws Error when it does not run */
  async addressOf(container: string): Promise<string> {
    const found = (await this.attachments()).find(one => one.container === container);
    if (found === undefined) throw new Error(`demo: ${container} does not run`);
    return found.address;
  }

  /** Ends everything. @throws Error when something is left of it */
  async destroy(): Promise<void> {
    await this.#lab.destroy();
    if (existsSync(this.#lab.dir)) throw new Error(`demo: ${this.#lab.dir} is left`);
  }
}
