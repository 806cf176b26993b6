import type { BenchHost } from '../bench-host.ts';

/** What a container's life is made of; each is one call of the Engine API. */
export const STEPS = ['create', 'start', 'stop', 'remove'] as const;
/** Milliseconds of each step. */
export type Life = Readonly<Record<(typeof STEPS)[number], number>>;

const FIRST_PORT = 20_000;
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
export class ContainerLife {
  static readonly NAME = 'lives';
  readonly #host: BenchHost;
  readonly #network: string;
  readonly #ports: readonly number[];

  /** @param count number of ports to be published, tcp, on no address in particular */
  constructor(host: BenchHost, network: string, count: number) {
    this.#host = host;
    this.#network = network;
    this.#ports = hostPorts(count);
  }

  /** @throws Error when a call fails */
  async live(): Promise<Life> {
    const create = await this.create();
    const start = await this.start();
    const stop = await this.#host.call('POST', `/containers/${ContainerLife.NAME}/stop`, 204);
    const remove = await this.#host.call('DELETE', `/containers/${ContainerLife.NAME}`, 204);
    return { create, start, stop, remove };
  }

  /** @param options.serves whether something listens on the ports, which takes a process each */
  create(options: { readonly serves?: boolean } = {}): Promise<number> {
    const inside = this.#ports.map(port => [`${port + OFFSET}/tcp`, port] as const);
    return this.#host.call('POST', `/containers/create?name=${ContainerLife.NAME}`, 201, {
      Image: 'busybox',
      Cmd: options.serves === true ? servers(this.#ports.map(port => port + OFFSET)) : IDLE,
      StopSignal: 'SIGKILL',
      ExposedPorts: Object.fromEntries(inside.map(([port]) => [port, {}])),
      HostConfig: {
        NetworkMode: this.#network,
        PortBindings: Object.fromEntries(inside.map(([port, host]) => [port, [{ HostPort: String(host) }]])),
      },
    });
  }

  start(): Promise<number> {
    return this.#host.call('POST', `/containers/${ContainerLife.NAME}/start`, 204);
  }

  remove(): Promise<number> {
    return this.#host.call('DELETE', `/containers/${ContainerLife.NAME}?force=1`, 204);
  }
}
