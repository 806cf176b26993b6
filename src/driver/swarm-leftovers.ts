import type { Kernel } from '../kernel/kernel.ts';
import type { Log } from '../log.ts';
import { livenessOf } from './liveness.ts';
import type { State } from './state.ts';

/** Networks of a swarm have ids of their own form. */
const SWARM_ID = /^[0-9a-z]{25}$/;

/** Milliseconds from an engine's registration to a look: it registers before it has cleared away what its predecessor left. */
const LOOKS = [1000, 10_000, 60_000];

export interface SwarmLeftoversParts {
  readonly state: State;
  readonly kernel: Kernel;
  readonly log: Log;
  /** Removes a network as the engine's DeleteNetwork does. */
  readonly remove: (networkId: string) => Promise<void>;
}

/**
 * A node has a swarm's network only while it has tasks on it, and its engine does not write it down: one that is killed never
 * says DeleteNetwork for it, and the next one knows of it only if it gets a task there again. What is left of the others goes
 * when an engine has started: networks that none has spoken of since tsnet has, with no container on them. (A swarm takes no
 * live-restore, and a managed plugin, which it needs, starts with its engine.)
 */
export class SwarmLeftovers {
  readonly #parts: SwarmLeftoversParts;
  /** Networks that an engine has spoken of in the life of this process. */
  readonly #wanted = new Set<string>();
  #timers: readonly NodeJS.Timeout[] = [];

  constructor(parts: SwarmLeftoversParts) {
    this.#parts = parts;
  }

  /** To be told of each CreateNetwork and CreateEndpoint, before it is carried out. */
  wanted(networkId: string): void {
    if (SWARM_ID.test(networkId)) this.#wanted.add(networkId);
  }

  /** An engine has registered: it has just started, or says so once more, which does no harm. */
  engineStarted(): void {
    this.close();
    this.#timers = LOOKS.map(pause => setTimeout(() => void this.look(), pause).unref());
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  /** Removes what is left now. Never throws: the log has what failed. */
  async look(): Promise<void> {
    const { state, log, remove } = this.#parts;
    try {
      for (const { id } of state.networks()) {
        if (!this.#isForgotten(id) || (await this.#isInUse(id))) continue;
        // The engine may have spoken of it meanwhile. From here on it waits until the network is gone, and makes it anew.
        if (!this.#isForgotten(id)) continue;
        log.info(`swarm network ${id.slice(0, 12)} was left by an engine that is gone and is removed`);
        await remove(id);
      }
    } catch (error) {
      log.warn(`networks left by a swarm: ${String(error)}`);
    }
  }

  #isForgotten(id: string): boolean {
    return SWARM_ID.test(id) && !this.#wanted.has(id);
  }

  async #isInUse(id: string): Promise<boolean> {
    const { state, kernel } = this.#parts;
    const joined = state.endpointsOf(id).filter(endpoint => endpoint.joined);
    const found = await livenessOf(joined, kernel);
    return [...found.values()].some(liveness => liveness !== 'lost');
  }
}
