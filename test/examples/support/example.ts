import { join } from 'node:path';
import type { Pinger } from '../../engine/support/macvlan-lab.ts';
import type { TsnetHost } from '../../engine/support/tsnet-host.ts';

const EXAMPLES = join(import.meta.dirname, '../../../examples');

/** How an example is run other than by its own folder alone. */
export interface ExampleOptions {
  /** Variables of the shell, which go before those of the example's .env. */
  readonly env?: Readonly<Record<string, string>>;
  /** A compose file that is laid over the example's. */
  readonly override?: string;
}

/** `docker compose` in the folder of an example, with the compose.yaml that is committed there. */
export class Example {
  readonly #host: TsnetHost;
  readonly #folder: string;
  readonly #options: ExampleOptions;

  /** @param folder below examples/ */
  constructor(host: TsnetHost, folder: string, options: ExampleOptions = {}) {
    this.#host = host;
    this.#folder = join(EXAMPLES, folder);
    this.#options = options;
  }

  /** @throws Error with compose's words and the end of the daemon's log when it fails */
  async compose(...args: string[]): Promise<string> {
    const { override, env = {} } = this.#options;
    const files = override === undefined ? [] : ['-f', join(this.#folder, 'compose.yaml'), '-f', override];
    const result = await this.#host.host.dockerWith(
      { cwd: this.#folder, env: { ...env } },
      'compose',
      ...files,
      ...args,
    );
    if (result.exitCode !== 0)
      throw new Error(`docker compose ${args.join(' ')}: ${result.stderr}\n${this.#host.log().slice(-3000)}`);
    return String(result.stdout).trim();
  }

  up(): Promise<string> {
    return this.compose('up', '-d', '--wait');
  }

  /** Ends at once what does not heed SIGTERM. */
  down(): Promise<string> {
    return this.compose('down', '-v', '-t', '0');
  }

  /** Id of the one container of a service. */
  container(service: string): Promise<string> {
    return this.compose('ps', '-q', service);
  }

  /** A service's container as a client. */
  async from(service: string): Promise<Pinger> {
    return { on: this.#host, container: await this.container(service) };
  }
}

/** What a page on the web says, or undefined when there is no answer within two seconds. @param place `host:port` */
export async function pageAt(from: Pinger, place: string): Promise<string | undefined> {
  const wget = ['2', 'busybox', 'wget', '-q', '-O', '-', `http://${place}/`];
  const result =
    'on' in from
      ? await from.on.host.docker('exec', from.container, 'timeout', ...wget)
      : await from.exec('timeout', wget, { reject: false });
  return result.exitCode === 0 ? String(result.stdout).trim() : undefined;
}
