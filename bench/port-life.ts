import type { TsnetHost } from '../test/engine/support/tsnet-host.ts';

/** The drivers that are compared, each with a network of its own. */
export const DRIVERS = [
  { name: 'builtin', network: 'p-builtin', create: ['-d', 'bridge', '--subnet', '198.18.41.0/24'] },
  { name: 'tsnet', network: 'p-tsnet', create: ['-d', 'tsnet', '--subnet', '198.18.42.0/24'] },
] as const;
export type Driver = (typeof DRIVERS)[number];

/** What a container's life is made of; each is one call of the Engine API. */
export const STEPS = ['create', 'start', 'stop', 'remove'] as const;
/** Milliseconds of each step. */
export type Life = Readonly<Record<(typeof STEPS)[number], number>>;

export const FIRST_PORT = 20_000;
/** Container ports differ from those of the host, so that each has to be translated. */
export const OFFSET = 10_000;

/** Numbers of the host's ports that a container with so many publishes. */
export const hostPorts = (count: number): number[] => Array.from({ length: count }, (_, k) => FIRST_PORT + k);

/** Does nothing, and ends at once when told to. */
const IDLE = ['sleep', '1d'];
/** A server on each port, which says the port's number. */
const servers = (ports: readonly number[]) => [
  'sh',
  '-c',
  `for p in ${ports.join(' ')}; do nc -ll -p $p -e echo $p & done; wait`,
];

/** One container with published ports, from its creation to its removal. */
export class PortLife {
  readonly #host: TsnetHost;
  readonly #driver: Driver;
  readonly #ports: readonly number[];

  /** @param count number of ports to be published, tcp, on every address of the host */
  constructor(host: TsnetHost, driver: Driver, count: number) {
    this.#host = host;
    this.#driver = driver;
    this.#ports = hostPorts(count);
  }

  /** @throws Error when a call fails */
  async live(): Promise<Life> {
    const create = await this.#timed(() => this.create());
    const start = await this.#timed(() => this.start());
    const stop = await this.#timed(() => this.#call('POST', '/containers/lives/stop', 204));
    const remove = await this.#timed(() => this.#call('DELETE', '/containers/lives', 204));
    return { create, start, stop, remove };
  }

  /** @param options.serves whether something listens on the ports, which takes a process each */
  create(options: { readonly serves?: boolean } = {}): Promise<void> {
    const inside = this.#ports.map(port => [`${port + OFFSET}/tcp`, port] as const);
    return this.#call('POST', '/containers/create?name=lives', 201, {
      Image: 'busybox',
      Cmd: options.serves === true ? servers(this.#ports.map(port => port + OFFSET)) : IDLE,
      StopSignal: 'SIGKILL',
      ExposedPorts: Object.fromEntries(inside.map(([port]) => [port, {}])),
      HostConfig: {
        NetworkMode: this.#driver.network,
        PortBindings: Object.fromEntries(inside.map(([port, host]) => [port, [{ HostPort: String(host) }]])),
      },
    });
  }

  start(): Promise<void> {
    return this.#call('POST', '/containers/lives/start', 204);
  }

  remove(): Promise<void> {
    return this.#call('DELETE', '/containers/lives?force=1', 204);
  }

  async #timed(step: () => Promise<void>): Promise<number> {
    const start = performance.now();
    await step();
    return performance.now() - start;
  }

  async #call(method: string, path: string, wanted: number, body?: unknown): Promise<void> {
    const { status, body: answer } = await this.#host.host.api(method, path, body);
    if (status === wanted) return;
    throw new Error(
      `bench: ${this.#driver.name}, ${this.#ports.length} ports: ${method} ${path}: ${JSON.stringify(answer)}`,
    );
  }
}
