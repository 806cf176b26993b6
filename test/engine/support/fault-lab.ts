import { TsnetDaemon } from '../../../chaos/campaign/tsnet-daemon.ts';
import type { Fault, FaultTarget, World } from '../../../chaos/world/types.ts';
import { Lab } from '../../lab/lab.ts';
import { waitFor } from '../../lab/wait.ts';
import { answers, type Pinger } from './macvlan-lab.ts';
import { type EngineGeneration, TSNET, TsnetHost } from './tsnet-host.ts';

/** A container of the lab: what it is called, where it is, and the port of the host by which the LAN finds it. */
interface Member {
  readonly name: string;
  readonly network: string;
  readonly port: number;
}

const MEMBERS: readonly Member[] = [
  { name: 'web1', network: 'web', port: 8081 },
  { name: 'web2', network: 'web', port: 8082 },
  { name: 'lan1', network: 'lan', port: 8083 },
  { name: 'lan2', network: 'lan', port: 8084 },
];

const NETWORKS: Readonly<Record<string, readonly string[]>> = {
  web: ['--subnet', '198.18.64.0/24'],
  lan: [
    ...['--subnet', '198.18.0.0/24', '--gateway', '198.18.0.1', '--ip-range', '198.18.0.192/27'],
    ...['-o', 'parent=eth0', '-o', 'publish=host'],
  ],
};

/** Milliseconds within which all is as it was after a fault: a container asks anew for a MAC after some seconds. */
const HEALING = 10_000;

/** A host with a bridge and a macvlan network, two containers on each, for faults to be done to. */
export class FaultLab implements AsyncDisposable {
  readonly lab: Lab;
  readonly host: TsnetHost;
  readonly daemon: TsnetDaemon;
  readonly target: FaultTarget;
  readonly #addresses = new Map<string, string>();

  private constructor(lab: Lab) {
    this.lab = lab;
    this.host = new TsnetHost(lab.host());
    this.daemon = new TsnetDaemon(lab.host(), TSNET);
    // The same every time.
    const random = (limit: number) => Math.floor(limit * 0.4);
    this.target = { host: lab.host(), daemon: this.daemon, world: worldOf(), random };
  }

  static async make(engine: EngineGeneration): Promise<FaultLab> {
    const made = new FaultLab(await Lab.create({ hosts: [{ engine }] }));
    try {
      await Promise.all([made.daemon.start(), made.host.host.loadImage()]);
      for (const [name, options] of Object.entries(NETWORKS))
        await made.host.docker('network', 'create', '-d', 'tsnet', ...options, name);
      for (const member of MEMBERS) await made.#run(member);
      await made.isWhole();
      return made;
    } catch (error) {
      await made.lab.destroy();
      throw error;
    }
  }

  /** Does a fault, has something looked at, and ends it. @returns what was logged from the strike to the end */
  async during(fault: Fault, look: () => Promise<void> = async () => undefined): Promise<string> {
    const mark = this.daemon.mark();
    const end = await fault.strike(this.target);
    try {
      await look();
    } finally {
      await end();
    }
    return this.daemon.since(mark);
  }

  /** Waits until everybody reaches whom it should. @throws Error that names who does not */
  async isWhole(): Promise<void> {
    let lacking: readonly string[] = [];
    const looksWhole = async () => {
      lacking = await this.lacking();
      return lacking.length === 0;
    };
    await waitFor(looksWhole, { timeout: HEALING, what: () => `${lacking.join(', ')} to be mended` });
  }

  /** The ways that lead nowhere at this moment. */
  async lacking(): Promise<string[]> {
    const { host } = this;
    await this.#learn();
    const to = (name: string) => this.#addresses.get(name) ?? '';
    const from = (container: string): Pinger => ({ on: host, container });
    const ways: Record<string, Promise<boolean>> = {
      'web1 to web2': answers(from('web1'), to('web2')),
      'web2 to the LAN': answers(from('web2'), '198.18.0.1'),
      'lan1 to lan2': answers(from('lan1'), to('lan2')),
      'lan2 to the LAN': answers(from('lan2'), '198.18.0.1'),
    };
    for (const { name, port } of MEMBERS) {
      ways[`the host to ${name}`] = answers(host.host, to(name));
      ways[`the LAN to ${name}`] = this.#says(name, port);
    }
    const found = await Promise.all(
      Object.entries(ways).map(async ([way, leads]) => ((await leads) ? [] : [way])),
    );
    return found.flat();
  }

  /** `tsnet status`, in words. */
  async status(): Promise<string> {
    const { stdout, stderr } = await this.host.host.exec(TSNET, ['status'], { reject: false });
    return `${stdout}${stderr}`;
  }

  /** Runs one more container on `web` and removes it again. @throws Error with docker's words */
  async runOneMore(): Promise<void> {
    await this.host.docker('run', '--rm', '--name', 'more', '--network', 'web', 'busybox', 'true');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lab.destroy();
  }

  async #run({ name, network, port }: Member): Promise<void> {
    const options = ['--name', name, '--network', network, '-p', `${port}:80`];
    await this.host.docker('run', '-d', ...options, 'busybox', 'nc', '-ll', '-p', '80', '-e', 'echo', name);
  }

  /** Addresses, which a container may have got anew. */
  async #learn(): Promise<void> {
    const format = '{{.Name}}{{range .NetworkSettings.Networks}} {{.IPAddress}}{{end}}';
    const lines = await this.host.docker('inspect', '-f', format, ...MEMBERS.map(({ name }) => name));
    for (const line of lines.split('\n')) {
      const [name = '', address = ''] = line.split(' ');
      this.#addresses.set(name.slice(1), address);
    }
  }

  async #says(name: string, port: number): Promise<boolean> {
    const nc = ['nc', '-w', '2', this.host.host.address, String(port)];
    const { stdout } = await this.lab.lan.exec('busybox', nc, { reject: false });
    return String(stdout).trim() === name;
  }
}

function worldOf(): World {
  const networks = Object.keys(NETWORKS).map(
    name =>
      [
        name,
        {
          name,
          mode: name === 'web' ? ('bridge' as const) : ('macvlan' as const),
          subnet4: name === 'web' ? '198.18.64.0/24' : '198.18.0.0/24',
          ipam: 'default' as const,
          ...(name === 'web' ? {} : { parent: 'eth0' }),
          uncertain: false,
        },
      ] as const,
  );
  const containers = MEMBERS.map(
    ({ name, network, port }) =>
      [
        name,
        {
          name,
          state: 'running' as const,
          restarts: false,
          attachments: new Map([[network, undefined]]),
          ports: [{ host: port, container: 80, protocol: 'tcp' as const }],
          uncertain: false,
        },
      ] as const,
  );
  return { networks: new Map(networks), containers: new Map(containers) };
}
