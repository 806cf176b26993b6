import { TsnetError } from '../../errors.ts';
import { failPoint } from '../../fail-points.ts';
import { portOf } from '../netlink/port-of.ts';
import { Elements } from './elements.ts';
import { type Library, loadLibrary, OUTPUT_JSON } from './library.ts';
import { watchingSockets } from './library-sockets.ts';

/**
 * nftables of the network namespace of the thread that opened this, wherever the commands run afterwards: one context of libnftables, which
 * speaks nft(8), and one's own messages for what is changed with every container. A context is not re-entrant: commands queue up and run one
 * after another on a worker thread.
 */
export class Nft {
  readonly elements: Elements;
  readonly #library: Library;
  #context: unknown;
  readonly #sockets: readonly number[];
  #queue: Promise<unknown> = Promise.resolve();
  #closed = false;

  private constructor(elements: Elements, library: Library, context: unknown, sockets: readonly number[]) {
    this.elements = elements;
    this.#library = library;
    this.#context = context;
    this.#sockets = sockets;
  }

  /**
   * @param options.port whether `ports` will be asked for; finding the context's socket costs a look at each open file
   * @throws TsnetError FIREWALL without libnftables.so.1, netfilter in the kernel, or the rights
   */
  static open({ port = true }: { port?: boolean } = {}): Nft {
    const library = loadLibrary();
    // Ahead of the context: libnftables ends the process when it cannot open a socket of this sort (netlink_open_error()).
    const elements = new Elements();
    const create = () => library.open(0);
    const { result: context, sockets } = port ? watchingSockets(create) : { result: create(), sockets: [] };
    const refuse = (what: string): never => {
      void elements.close();
      throw new TsnetError('FIREWALL', what);
    };
    if (context === null) refuse('libnftables gave no context');
    if (library.bufferOutput(context) !== 0 || library.bufferError(context) !== 0) {
      library.free(context);
      refuse('libnftables gave no buffers for its output');
    }
    return new Nft(elements, library, context, sockets);
  }

  /**
   * Netlink port ids by which the kernel tells others who made a change (see watch.ts). They are looked up each time:
   * libnftables binds its socket with the first command and replaces it after an interrupted dump.
   */
  get ports(): readonly number[] {
    return this.#closed
      ? []
      : [...this.#sockets.map(portOf), this.elements.port].filter(port => port !== undefined);
  }

  /**
   * Runs nft commands as one transaction: all of them or, when one is refused, none.
   * @param commands nft(8) text, one command a line; empty text does nothing
   * @throws TsnetError FIREWALL with the first error that nft names; `cause` has all that it said
   */
  async run(commands: string): Promise<void> {
    if (commands !== '') await this.#enqueue(commands, 0);
  }

  /**
   * Runs one listing command and answers its JSON form, libnftables-json(5).
   * @throws TsnetError FIREWALL as run() does
   */
  async json(command: string): Promise<unknown> {
    const output = await this.#enqueue(command, OUTPUT_JSON);
    try {
      // Some versions put a warning about tables of iptables-nft ahead of it.
      return JSON.parse(output.slice(Math.max(0, output.indexOf('{"nftables"'))));
    } catch (error) {
      throw new TsnetError('FIREWALL', `nft answered "${command}" with something else than JSON`, {
        cause: error,
      });
    }
  }

  /** As json(), but undefined when the table or chain to be listed does not exist. */
  async jsonIfExists(command: string): Promise<unknown> {
    try {
      return await this.json(command);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /**
   * Waits for what is under way, then frees the context, on a worker thread: closing its socket waits until the
   * kernel has disposed of what was deleted. Later commands are refused.
   */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([this.#queue, this.elements.close()]);
    const context = this.#context;
    this.#context = null;
    if (context === null) return;
    await new Promise<void>((resolve, reject) => {
      this.#library.free.async(context, (failure: unknown) => (failure ? reject(failure) : resolve()));
    });
  }

  #enqueue(commands: string, flags: number): Promise<string> {
    if (this.#closed) return Promise.reject(new TsnetError('FIREWALL', 'the nftables context is closed'));
    const answer = this.#queue.then(() => this.#call(commands, flags));
    this.#queue = answer.catch(() => {});
    return answer;
  }

  #call(commands: string, flags: number): Promise<string> {
    const library = this.#library;
    const context = this.#context;
    library.setFlags(context, flags);
    if (flags !== OUTPUT_JSON) failPoint('nftables', commands);
    return new Promise((resolve, reject) => {
      library.run.async(context, commands, (failure: unknown, status: number) => {
        const output = library.output(context) as string;
        const words = library.error(context) as string;
        if (failure) reject(failure);
        else if (status === 0) resolve(output);
        else reject(new TsnetError('FIREWALL', firstError(words), { cause: new Error(words.trim()) }));
      });
    });
  }
}

/** `Could not process rule: …` out of nft's `internal:0:0-0: Error: Could not process rule: …` and what follows. */
const firstError = (words: string): string =>
  /Error: (.*)/.exec(words)?.[1] ?? (words.trim().split('\n')[0] || 'nft failed without a word');

/** Whether nft refused because a named table, chain or set does not exist. */
export const isMissing = (error: unknown): boolean =>
  error instanceof TsnetError &&
  error.code === 'FIREWALL' &&
  error.what.endsWith('No such file or directory');
