import { readFileSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { type ApiAnswer, EngineApi } from './api.ts';
import type { Child } from './child.ts';
import { dockerConfigDir } from './compose.ts';
import type { Engine } from './engines.ts';
import type { HolderSpec } from './holder.ts';
import { busyboxTar } from './image.ts';
import { type AddressPlan, addressOf, ipBatch, plugIn, portName } from './net.ts';
import { type ExecOptions, type ExecResult, LabNode } from './node.ts';
import { waitFor } from './wait.ts';

/** What one host of a lab is to be. */
export interface HostPlan {
  /** Its number, from 1. */
  index: number;
  engine: Engine;
  /** More arguments for every start of dockerd. */
  dockerdArgs: readonly string[];
  /** The engine's daemon.json. */
  daemonJson: Record<string, unknown>;
  /** Whether the engine is started with the host. */
  autostart: boolean;
  plan: AddressPlan;
  /** Number of network cards. */
  nics: number;
}

/** A throwaway machine with a Docker Engine of its own, at Docker's default paths. */
export class Host extends LabNode {
  readonly engine: Engine;
  /** IPv4 address on the LAN, bare. */
  readonly address: string;
  /** IPv6 address on the LAN, bare. */
  readonly address6: string;
  /** The engine's socket on the machine; inside, /var/run/docker.sock does as well. */
  readonly socketPath: string;
  readonly #lan: LabNode;
  readonly #host: HostPlan;
  readonly #api: EngineApi;
  #dockerd: Child | undefined;

  constructor(spec: HolderSpec, host: HostPlan, lan: LabNode) {
    super(spec);
    this.#host = host;
    this.#lan = lan;
    this.engine = host.engine;
    const { v4, v6 } = addressOf(host.plan, 0, this.#member);
    this.address = v4;
    this.address6 = v6;
    this.socketPath = join(this.dir, 'docker.sock');
    this.#api = new EngineApi(this.socketPath);
  }

  /** Switches the host on, plugs it into the LAN and starts its engine. */
  async boot(): Promise<void> {
    await this.powerOn();
    const cards = Array.from({ length: this.#host.nics }, (_, k) => k);
    await this.#plugIn(cards);
    const cables = cards.map(nic => this.carries(nic));
    await Promise.all([...cables, this.#host.autostart ? this.startEngine() : undefined]);
  }

  override async crash(): Promise<void> {
    await super.crash();
    this.#api.close();
    rmSync(this.socketPath, { force: true });
    this.#dockerd = undefined;
  }

  /**
   * Starts dockerd and waits until it answers.
   *
   * @param args further arguments, for this start only
   * @throws Error with the end of its log when it does not come up
   */
  async startEngine(args: readonly string[] = []): Promise<void> {
    if (this.#dockerdPid() !== undefined) throw new Error(`lab: the engine of ${this.name} runs already`);
    const config = join(this.dir, 'daemon.json');
    await writeFile(config, JSON.stringify(this.#host.daemonJson));
    rmSync(this.#inside('/run/docker.pid'), { force: true });
    const listen = ['-H', `unix://${this.socketPath}`, '-H', 'unix:///var/run/docker.sock'];
    const dockerd = await this.spawn(
      'dockerd',
      [
        ...listen,
        '--config-file',
        config,
        '--pidfile',
        '/run/docker.pid',
        ...this.#host.dockerdArgs,
        ...args,
      ],
      { log: this.engineLog },
    );
    this.#dockerd = dockerd;
    const failure = () =>
      `dockerd on ${this.name} to answer:\n${this.engineOutput().split('\n').slice(-30).join('\n')}`;
    await waitFor(async () => !dockerd.running || (await this.#api.ping()), {
      timeout: 90_000,
      what: failure,
    });
    if (!dockerd.running) throw new Error(`lab: dockerd ended, instead of ${failure()}`);
  }

  /** Stops dockerd: TERM as the service manager does, KILL as a crash of the daemon alone. */
  async stopEngine(how: 'TERM' | 'KILL' = 'TERM'): Promise<void> {
    const pid = this.#dockerdPid();
    if (pid === undefined) return;
    await this.exec('kill', [`-${how}`, String(pid)]);
    await waitFor(() => this.#dockerdPid() === undefined, {
      timeout: 90_000,
      what: `dockerd on ${this.name} to end`,
    });
    await this.#dockerd?.exited;
    this.#api.close();
    this.#dockerd = undefined;
  }

  /** File with everything that dockerd has logged since the lab was made. */
  get engineLog(): string {
    return join(this.dir, 'dockerd.log');
  }

  /** Everything that dockerd has logged since the lab was made. */
  engineOutput(): string {
    return readFileSync(this.engineLog, 'utf8');
  }

  /** The machine's docker client, with `compose`, against this host. Every end is a result, not an error. */
  async docker(...args: string[]): Promise<ExecResult> {
    return this.dockerWith({}, ...args);
  }

  /**
   * Removes those of some containers that there are. Docker takes a name that no container has for the beginning of an
   * id: one time in 256, `docker rm -f c1` removes somebody else.
   * @throws Error when the engine does not answer, or keeps one of them
   */
  async discard(...names: string[]): Promise<void> {
    const { stdout } = await this.dockerWith({ reject: true }, 'ps', '-a', '--format', '{{.Names}}');
    const there = String(stdout)
      .split('\n')
      .filter(name => names.includes(name));
    if (there.length > 0) await this.dockerWith({ reject: true }, 'rm', '-f', ...there);
  }

  /** The same with a working directory (on the machine), input, a deadline, or `reject: true`. */
  async dockerWith(options: ExecOptions, ...args: string[]): Promise<ExecResult> {
    return execa('docker', args, {
      reject: false,
      ...(options.input === undefined && options.stdio === undefined ? { stdin: 'ignore' as const } : {}),
      ...options,
      env: {
        DOCKER_HOST: `unix://${this.socketPath}`,
        DOCKER_CONFIG: await dockerConfigDir(this.dir),
        ...options.env,
      },
    }) as Promise<ExecResult>;
  }

  /** One call of the Engine API, see EngineApi.call. */
  async api(method: string, path: string, body?: unknown): Promise<ApiAnswer> {
    return this.#api.call(method, path, body);
  }

  /** Imports the busybox image under a name; all applets are in it, and `sh` is its command. */
  async loadImage(name = 'busybox:latest'): Promise<void> {
    const query = new URLSearchParams({ fromSrc: '-', repo: name, changes: 'CMD ["sh"]' });
    const { status, body } = await this.api('POST', `/images/create?${query}`, await busyboxTar());
    if (status !== 200) throw new Error(`lab: ${this.name} did not take the image: ${JSON.stringify(body)}`);
  }

  /** Pulls the LAN cable of a card. */
  async cut(nic = 0): Promise<void> {
    await ipBatch(this.#lan.pid, [`link set ${portName(this.name, nic)} down`]);
  }

  /** Plugs the LAN cable of a card in again; it carries packets when this returns. */
  async heal(nic = 0): Promise<void> {
    await ipBatch(this.#lan.pid, [`link set ${portName(this.name, nic)} up`]);
    await this.carries(nic);
  }

  /** Puts a card in that was deleted, with the addresses and routes that it had at boot. @param mac default: a new one */
  async plugInAgain(nic = 0, mac?: string): Promise<void> {
    await this.#plugIn([nic], mac);
    await this.carries(nic);
  }

  async #plugIn(cards: readonly number[], mac?: string): Promise<void> {
    // after a crash the kernel may still hold the old cable's end for a moment
    for (const nic of cards) {
      await this.#lan.exec('ip', ['link', 'del', portName(this.name, nic)], { reject: false });
    }
    const host = { name: this.name, pid: this.pid, member: this.#member, mac };
    await plugIn(this.#lan.pid, host, this.#host.plan, cards);
  }

  /** Waits until both ends of a card's cable have noticed it, which the kernel tells them at most once a second. */
  async carries(nic = 0): Promise<void> {
    const port = `/proc/${this.#lan.pid}/root/sys/class/net/${portName(this.name, nic)}/brport/state`;
    const card = this.#inside(`/sys/class/net/eth${nic}/operstate`);
    const forwarding = '3';
    await waitFor(() => read(port) === forwarding && read(card) === 'up', {
      what: `eth${nic} of ${this.name} to have a carrier`,
    });
  }

  get #member(): number {
    return 10 + this.#host.index;
  }

  /** A path of the host's file system, as the machine reaches it. */
  #inside(path: string): string {
    return `/proc/${this.pid}/root${path}`;
  }

  /** dockerd's number inside the host, while it runs: the pid file may be a dead one's. */
  #dockerdPid(): number | undefined {
    try {
      const pid = Number(readFileSync(this.#inside('/run/docker.pid'), 'utf8'));
      const name = readFileSync(this.#inside(`/proc/${pid}/comm`), 'utf8').trim();
      return name === 'dockerd' ? pid : undefined;
    } catch {
      return undefined;
    }
  }
}

/** A one-line kernel file, or '' while it is not there. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}
