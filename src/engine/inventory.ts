import { networkKeys } from '../driver/context.ts';
import type { Runner } from '../driver/runner.ts';
import type { State } from '../driver/state.ts';
import type { Log } from '../log.ts';
import type { EngineView } from './client.ts';
import { FaultWarnings } from './known-faults.ts';
import type { OwnEngine } from './own-engine.ts';

export interface InventoryParts {
  readonly state: State;
  readonly ownEngine: OwnEngine;
  readonly runner: Runner;
  readonly log: Log;
  /** Fails while the engine is not up. Absent: there is none to ask. */
  readonly view: (() => Promise<EngineView>) | undefined;
}

/** Waits between looks in ms: the engine may boot after tsnet, and takes a moment to list a new network. */
const PAUSES = [100, 300, 1000, 3000, 10_000, 30_000];

/**
 * Learns from the engine's API, apart from any call, what its driver protocol does not say: the names of networks, and what version
 * the engine is: its calls do not tell (their User-Agent is Go's own in every version). What the engine has forgotten is
 * orphans/'s concern.
 */
export class Inventory {
  readonly #parts: InventoryParts;
  readonly #faults: FaultWarnings;
  #timer: NodeJS.Timeout | undefined;
  #attempt = 0;
  #closed = false;

  constructor(parts: InventoryParts) {
    this.#parts = parts;
    this.#faults = new FaultWarnings(parts.log);
  }

  /** Looks soon, and again until every network has a name: at the start, after a network was made, or an engine has started. */
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
    const { view } = this.#parts;
    if (view === undefined || pause === undefined || this.#closed) return;
    this.#attempt += 1;
    // One look is planned at a time, also when one was asked for while another was under way.
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      void this.#look(view).then(done => done || this.#schedule());
    }, pause).unref();
  }

  async #look(view: () => Promise<EngineView>): Promise<boolean> {
    const { state, log } = this.#parts;
    try {
      const engine = await view();
      this.#faults.tell(engine.release);
      await this.#learnNames(engine);
      return state.networks().every(network => network.name !== undefined);
    } catch (error) {
      log.debug(`the names of networks are not known yet: ${String(error)}`);
      return false;
    }
  }

  async #learnNames(engine: EngineView): Promise<void> {
    const { state, ownEngine, runner } = this.#parts;
    for (const { id, name } of engine.networks) {
      const known = state.network(id);
      if (known === undefined) continue;
      ownEngine.lists(engine.engineId);
      if (known.name === name) continue;
      await runner.run(networkKeys(id, known.base.link), async () => {
        const network = state.network(id);
        if (network?.lifecycle === 'live') state.putNetwork({ ...network, name });
      });
    }
  }
}
