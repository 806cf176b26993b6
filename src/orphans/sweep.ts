import { livenessOf } from '../driver/liveness.ts';
import { nameOfEndpoint } from '../driver/object-names.ts';
import type { State } from '../driver/state.ts';
import { endpointMark, isMarked, isShimMark, networkMark } from '../host-state/mark.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { UNFINISHED_ALIAS } from '../kernel/rtnetlink/unfinished.ts';
import type { Log } from '../log.ts';

export interface SweepParts {
  readonly state: Pick<State, 'networks' | 'endpointsOf' | 'endpoint'>;
  readonly kernel: Pick<Kernel, 'links' | 'sandboxLinks'>;
  /** Whether there is a network namespace at the path of a sandbox. */
  readonly isThere: (sandbox: string) => boolean;
  /** Has the whole host put right. @param loss what for, in words */
  readonly repair: (loss: string) => void;
  readonly log: Log;
}

/** Lets the sandboxes of many containers that end together become one sweep, and the engine's own calls about them come first. In ms. */
const GATHER = 200;
/** A link that is being deleted is reported as changed before it is reported as gone, at most so many ms later. */
const DELETION = 2000;

/**
 * Finds what the kernel tells of by itself, without the engine: endpoints that ended with their container without a word
 * (a link inside a container goes unannounced, unlike one that is a port of a bridge), and links with tsnet's mark that belong to nothing.
 * It changes nothing: what it has found is put right by a reconcile.
 */
export class Sweep {
  readonly #parts: SweepParts;
  #endpoints: NodeJS.Timeout | undefined;
  #links: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(parts: SweepParts) {
    this.#parts = parts;
  }

  /** The namespace of some container is gone. */
  namespaceGone(): void {
    if (this.#closed) return;
    this.#endpoints ??= setTimeout(() => {
      this.#endpoints = undefined;
      void this.#look(() => this.#lostEndpoint());
    }, GATHER).unref();
  }

  /** A link was added or changed. @param alias its own */
  linkSet(alias: string | undefined): void {
    if (this.#closed || this.#links !== undefined || alias === undefined || !this.#isStray(alias)) return;
    this.#links = setTimeout(() => {
      this.#links = undefined;
      void this.#look(() => this.#strayLink());
    }, DELETION).unref();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#endpoints);
    clearTimeout(this.#links);
  }

  /** Never rejects: the log has what failed. */
  async #look(find: () => Promise<string | undefined>): Promise<void> {
    try {
      const loss = await find();
      if (loss !== undefined && !this.#closed) this.#parts.repair(loss);
    } catch (error) {
      this.#parts.log.debug(`what is left of containers cannot be looked for: ${String(error)}`);
    }
  }

  async #lostEndpoint(): Promise<string | undefined> {
    const { state, kernel, isThere } = this.#parts;
    const gone = state
      .networks()
      .flatMap(({ id }) => state.endpointsOf(id))

      .filter(({ lifecycle }) => lifecycle === 'live')
      .filter(({ joined, sandbox }) => joined && sandbox !== undefined && !isThere(sandbox));
    if (gone.length === 0) return undefined;
    // Up to engine 27 a sandbox is there only after Join; the link waits on the host.
    const found = [...(await livenessOf(gone, kernel))].find(([, liveness]) => liveness === 'lost');
    return found && `${nameOfEndpoint(found[0])} ended with its container`;
  }

  async #strayLink(): Promise<string | undefined> {
    const { state, kernel } = this.#parts;
    const links = (await kernel.links()).filter(({ alias }) => isMarked(alias) && !isShimMark(alias));
    const marks = new Set([
      UNFINISHED_ALIAS,
      ...state
        .networks()
        .flatMap(({ id }) => [
          networkMark(id),
          ...state.endpointsOf(id).map(endpoint => endpointMark(id, endpoint.id)),
        ]),
    ]);
    const stray = links.find(({ alias = '' }) => !marks.has(alias));
    return stray && `link ${stray.name} belongs to nothing`;
  }

  /** Whether a mark is that of an endpoint that there is not. */
  #isStray(alias: string): boolean {
    if (!isMarked(alias) || isShimMark(alias)) return false;
    const [, networkId, endpointId] = alias.split(':');
    if (networkId === undefined || endpointId === undefined) return false;
    try {
      return this.#parts.state.endpoint(networkId, endpointId) === undefined;
    } catch {
      // The store cannot be read: then nothing is known to belong to nothing.
      return false;
    }
  }
}
