import { join } from 'node:path';
import { expect } from 'vitest';
import type { Child } from '../../lab/child.ts';
import { Lab } from '../../lab/lab.ts';
import { LabNode } from '../../lab/node.ts';
import { waitFor } from '../../lab/wait.ts';
import { clean, createNetwork, driverOptions } from './bridge-lab.ts';
import { startRestored } from './host-view.ts';
import { type Attached, attached, inContainer, startContainer } from './macvlan-lab.ts';
import { type EngineGeneration, TsnetHost } from './tsnet-host.ts';

const NAME_SERVER = join(import.meta.dirname, '../fixtures/name-server.ts');
const PROBE = join(import.meta.dirname, '../fixtures/probe.ts');

/** A second client on the LAN, which its node is while PolicyLab.withSecondClient() runs. */
export const SECOND = { address4: '198.18.0.201', address6: 'fd99::201' } as const;

const place = (address: string) => (address.includes(':') ? `[${address}]` : address);
const from = (source: string | undefined) => (source === undefined ? '' : `?from=${source}`);

/** Questions for PolicyLab.ask(). @param source the asker's own address to ask from, where it has several; bare, as `address` */
export const tcp = (address: string, port: number, source?: string): string =>
  `tcp://${place(address)}:${port}${from(source)}`;
export const udp = (address: string, port: number, source?: string): string =>
  `udp://${place(address)}:${port}${from(source)}`;
export const icmp = (address: string, source?: string): string => `icmp://${place(address)}${from(source)}`;

/** Who asks: a node of the lab, or a container by its name. */
export type Asker = LabNode | string;

/**
 * A lab with one host whose containers are servers that tell who asks them. It sees at once, for all ways that packets
 * can take, which are open and what address they seem to come from.
 */
export class PolicyLab {
  readonly lab: Lab;
  readonly host: TsnetHost;
  readonly #servers = new Map<string, Child>();

  private constructor(lab: Lab, host: TsnetHost) {
    this.lab = lab;
    this.host = host;
  }

  /** Boots the host. As the units do it tsnet starts before the engine, which does not start by itself after a boot. */
  /** `docker network create -d tsnet` with driver options. */
  network(name: string, subnets: readonly string[], options: Record<string, string> = {}): Promise<string> {
    return createNetwork(this.host, name, ...subnets, ...driverOptions(options));
  }

  static async create(engine: EngineGeneration): Promise<PolicyLab> {
    const lab = await Lab.create({ disk: 'dir', hosts: [{ engine, autostart: false }] });
    try {
      const host = new TsnetHost(lab.host());
      await host.start();
      await host.host.startEngine();
      await host.host.loadImage();
      return new PolicyLab(lab, host);
    } catch (error) {
      await lab.destroy();
      throw error;
    }
  }

  /** Switches the host off and on again, and starts all that is started by itself. */
  async reboot(): Promise<void> {
    await this.host.host.crash();
    this.#servers.clear();
    await this.host.host.boot();
    await startRestored(this.host);
    await this.host.host.startEngine();
  }

  /** Gives the LAN's node the addresses of a second client for as long as an action runs. */
  async withSecondClient(action: () => Promise<void>): Promise<void> {
    const { lan } = this.lab;
    const addresses = [`${SECOND.address4}/24`, `${SECOND.address6}/64`];
    for (const address of addresses)
      await lan.exec('ip', [
        'addr',
        'add',
        address,
        'dev',
        'br0',
        ...(address.includes(':') ? ['nodad'] : []),
      ]);
    try {
      await action();
    } finally {
      for (const address of addresses) await lan.exec('ip', ['addr', 'del', address, 'dev', 'br0']);
    }
  }

  /** Starts a container that answers with its name on some ports, TCP and UDP. @param options of `docker run` */
  async run(
    name: string,
    network: string,
    ports: readonly number[] = [],
    ...options: string[]
  ): Promise<Attached> {
    const container = await startContainer(this.host, name, network, ...options);
    await this.serve(name, ports);
    return container;
  }

  /**
   * Starts the server of a container anew, as after a restart. It runs in the container's network namespace without being
   * one of its processes.
   */
  async serve(name: string, ports: readonly number[]): Promise<void> {
    await this.#servers.get(name)?.stop('SIGKILL');
    this.#servers.delete(name);
    if (ports.length > 0) {
      const pid = await this.host.docker('inspect', '-f', '{{.State.Pid}}', name);
      const server = ['node', NAME_SERVER, name, ...ports.map(String)];
      const child = await this.host.host.spawn('nsenter', ['-t', pid, '-n', ...server]);
      this.#servers.set(name, child);
      await child.waitForOutput('listening');
    }
    // Duplicate address detection: of the container's own addresses, and of those that the host speaks with it from.
    await waitFor(async () => (await this.#tentative(name)) === '', {
      what: `the IPv6 addresses of ${name} and its host to be usable`,
    });
  }

  /** Starts a server on a node; it ends with the node. */
  async serveOn(node: LabNode, name: string, port: number): Promise<void> {
    const child = await node.spawn('node', [NAME_SERVER, name, String(port)]);
    await child.waitForOutput('listening');
  }

  /**
   * Asks everything at once.
   * @param questions by label, as tcp(), udp() and icmp() write them
   * @returns by label `NAME SOURCE` or `echo` where there is an answer; `refused`, `closed` (at once, without a word),
   * `silence`, or the error's code where there is none
   */
  async ask<Label extends string>(
    asker: Asker,
    questions: Readonly<Record<Label, string>>,
  ): Promise<Record<Label, string>> {
    const probe = ['node', PROBE, JSON.stringify(questions)] as const;
    const said =
      asker instanceof LabNode
        ? String((await asker.exec(probe[0], probe.slice(1))).stdout)
        : await inContainer(this.host, asker, ...probe);
    return JSON.parse(said) as Record<Label, string>;
  }

  /** A container as it is attached now. */
  attached(name: string, network: string): Promise<Attached> {
    return attached(this.host, name, network);
  }

  /** Removes every container and network, and asserts that nothing of them is left, elements of maps included. */
  async clean(): Promise<void> {
    for (const server of this.#servers.values()) await server.stop('SIGKILL');
    this.#servers.clear();
    await clean(this.host);
    expect(await mapElements(this.host)).toEqual([]);
  }

  async #tentative(name: string): Promise<string> {
    const list = ['ip', '-6', 'addr', 'show', 'tentative'] as const;
    const { stdout } = await this.host.host.exec(list[0], list.slice(1));
    return `${stdout}${await inContainer(this.host, name, ...list)}`;
  }
}

/** Contents of the maps of tsnet's table, `map key`, sorted. */
export async function mapElements(host: TsnetHost): Promise<string[]> {
  const { stdout } = await host.host.exec('nft', ['-j', 'list', 'table', 'inet', 'tsnet']);
  const { nftables } = JSON.parse(String(stdout)) as {
    nftables: { map?: { name: string; elem?: [{ concat: (string | number)[] }, unknown][] } }[];
  };
  return nftables
    .flatMap(({ map }) => (map?.elem ?? []).map(([key]) => `${map?.name} ${key.concat.join(' ')}`))
    .sort();
}
