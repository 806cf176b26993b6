import type { Log } from '../log.ts';
import type { Attachment } from './client.ts';

/** Waits between looks in ms: the engine lists a container's network a moment after its start. */
const PAUSES = [300, 3000];

export interface ContainerNamesParts {
  /** Endpoints whose containers are to be known, by network. */
  readonly endpoints: () => readonly { readonly id: string; readonly networkId: string }[];
  /** Fails while the engine is not up. */
  readonly view: (networkIds: readonly string[]) => Promise<ReadonlyMap<string, Attachment>>;
  readonly log: Log;
}

/** Learns from the engine's API, apart from any call, which containers have published ports: for messages to others. */
export class ContainerNames {
  readonly #parts: ContainerNamesParts;
  #names: ReadonlyMap<string, Attachment> = new Map();
  #timer: NodeJS.Timeout | undefined;
  #attempt = 0;
  #closed = false;

  constructor(parts: ContainerNamesParts) {
    this.#parts = parts;
  }

  /** The name of the container that an endpoint is of, once it is known. */
  nameOf(endpointId: string): string | undefined {
    return this.#names.get(endpointId)?.container;
  }

  /** Looks soon, and once more if somebody is still without a name; several requests share a look. */
  refresh(): void {
    this.#attempt = 0;
    this.#schedule();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    const pause = PAUSES[this.#attempt];
    if (pause === undefined || this.#closed || this.#timer !== undefined) return;
    this.#attempt += 1;
    this.#timer = setTimeout(() => {
      void this.#look().then(() => {
        this.#timer = undefined;
        if (this.#isMissing()) this.#schedule();
      });
    }, pause).unref();
  }

  async #look(): Promise<void> {
    const networks = new Set(this.#parts.endpoints().map(({ networkId }) => networkId));
    if (networks.size === 0 || !this.#isMissing()) return;
    try {
      this.#names = await this.#parts.view([...networks]);
    } catch (error) {
      this.#parts.log.debug(`the names of containers are not known yet: ${String(error)}`);
    }
  }

  #isMissing(): boolean {
    return this.#parts.endpoints().some(({ id }) => !this.#names.has(id));
  }
}
