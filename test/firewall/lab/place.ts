import { Worker } from 'node:worker_threads';
import { type NftNamespace, nftNamespace } from '../../kernel/nft-namespace.ts';
import type { Answer, Wish } from './orders.ts';

/** Who is asked: an address, bare, and a port. */
export type Target = readonly [address: string, port: number];
/** Long for whoever should answer, on a busy machine; short for whoever should not. */
export type Patience = 'long' | 'short';
const MILLISECONDS = { long: 4000, short: 400 } as const;

/** A network namespace with somebody in it who serves and asks. */
export class Place {
  readonly namespace: NftNamespace;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, PromiseWithResolvers<string>>();
  #last = 0;

  private constructor(namespace: NftNamespace, name: string) {
    this.namespace = namespace;
    this.#worker = new Worker(new URL('./agent.ts', import.meta.url), {
      workerData: { path: namespace.path, name },
      execArgv: [],
    });
    this.#worker.on('message', ({ id, text }: Answer) => {
      this.#waiting.get(id)?.resolve(text);
      this.#waiting.delete(id);
    });
    this.#worker.on('error', error => {
      for (const waiting of this.#waiting.values()) waiting.reject(error);
    });
  }

  static async create(name: string): Promise<Place> {
    return new Place(await nftNamespace(), name);
  }

  serve(port: number, address = '::'): Promise<string> {
    return this.#order({ order: 'serve', address, port });
  }

  /** What the other end says: `a saw 198.18.50.2`; else `silence` or an error code. */
  ask(
    [address, port]: Target,
    protocol: 'tcp' | 'udp' = 'tcp',
    patience: Patience = 'long',
  ): Promise<string> {
    return this.#order({ order: 'ask', protocol, address, port, patience: MILLISECONDS[patience] });
  }

  /** A TCP connection that stays open. */
  async dial([address, port]: Target): Promise<{
    say(patience?: Patience): Promise<string>;
    hangUp(): Promise<string>;
  }> {
    const connection = this.#last + 1;
    const patience = MILLISECONDS.long;
    const answer = await this.#order({ order: 'dial', connection, address, port, patience });
    if (answer !== 'connected') throw new Error(`${address} port ${port}: ${answer}`);
    return {
      say: (patience = 'long') => this.#order({ order: 'say', connection, patience: MILLISECONDS[patience] }),
      hangUp: () => this.#order({ order: 'hang up', connection }),
    };
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
    await this.namespace[Symbol.asyncDispose]();
  }

  #order(wish: Wish): Promise<string> {
    this.#last += 1;
    const id = this.#last;
    const waiting = Promise.withResolvers<string>();
    this.#waiting.set(id, waiting);
    this.#worker.postMessage({ ...wish, id });
    return waiting.promise;
  }
}
