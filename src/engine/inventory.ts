import { networkKeys } from '../driver/context.ts';
import type { Runner } from '../driver/runner.ts';
import type { State } from '../driver/state.ts';
import type { Log } from '../log.ts';
import type { Store } from '../store/types.ts';
import type { EngineView } from './client.ts';
import { FaultWarnings } from './known-faults.ts';

export interface InventoryParts {
  readonly state: State;
  readonly store: Pick<Store, 'setting' | 'putSetting'>;
  readonly runner: Runner;
  readonly log: Log;
  /** Fails while the engine is not up. Absent: there is none to ask. */
  readonly view: (() => Promise<EngineView>) | undefined;
  /** Removes a network that the engine no longer has. */
  readonly remove: (networkId: string) => Promise<void>;
}

/** Waits between looks in ms: the engine may boot after tsnet, and takes a moment to list a new network. */
const PAUSES = [100, 300, 1000, 3000, 10_000, 30_000];
const ENGINE = 'engine-id';

/**
 * Learns from the engine's API, apart from any call, what its driver protocol does not say: the names of networks, and
 * that one was removed while tsnet was not there to hear it (the engine removes it whatever the driver answers), and what version
 * the engine is: its calls do not tell (their User-Agent is Go's own in every version).
 */
export class Inventory {
  readonly #parts: InventoryParts;
  readonly #faults: FaultWarnings;
  #timer: NodeJS.Timeout | undefined;
  #attempt = 0;
  /** Networks that the engine may no longer have: those from before the start, and those whose removal failed. */
  #unconfirmed = new Set<string>();
  /** Those of them that the engine itself has asked to be removed. */
  readonly #asked = new Set<string>();
  #closed = false;

  constructor(parts: InventoryParts) {
    this.#parts = parts;
    this.#faults = new FaultWarnings(parts.log);
  }

  /** Begins with the networks of the store as they were at the start of the daemon. */
  start(): void {
    this.#unconfirmed = new Set(this.#parts.state.networks().map(network => network.id));
    this.refresh();
  }

  /** The engine forgets a network whatever the driver answers: one whose removal failed is tried again. */
  suspect(networkId: string): void {
    this.#asked.add(networkId);
    if (this.#unconfirmed.has(networkId)) return;
    this.#unconfirmed.add(networkId);
    this.refresh();
  }

  /** Looks soon, and again until every network has a name: after a network was made, or an engine has started. */
  refresh(): void {
    this.#attempt = 0;
    this.#schedule();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    // What is still to be removed is tried at the longest pause for as long as it takes.
    const pause = PAUSES[this.#attempt] ?? (this.#unconfirmed.size > 0 ? PAUSES.at(-1) : undefined);
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
      await this.#removeForgotten(engine);
      return state.networks().every(network => network.name !== undefined) && this.#unconfirmed.size === 0;
    } catch (error) {
      log.debug(`the engine's networks and tsnet's are not in step yet: ${String(error)}`);
      return false;
    }
  }

  async #learnNames(engine: EngineView): Promise<void> {
    const { state, store, runner } = this.#parts;
    for (const { id, name } of engine.networks) {
      const known = state.network(id);
      if (known === undefined) continue;
      // An engine that has one of the networks is the one whose driver this is.
      if (store.setting(ENGINE) !== engine.engineId) store.putSetting(ENGINE, engine.engineId);
      if (known.name === name) continue;
      await runner.run(networkKeys(id, known.base.link), async () => {
        const network = state.network(id);
        if (network?.lifecycle === 'live') state.putNetwork({ ...network, name });
      });
    }
  }

  /** Never on the word of another engine, and nothing that a container is still attached to. */
  async #removeForgotten(engine: EngineView): Promise<void> {
    const { state, store, log, remove } = this.#parts;
    if (store.setting(ENGINE) !== engine.engineId) return;
    const listed = new Set(engine.networks.map(network => network.id));
    for (const id of this.#unconfirmed) {
      const inUse = !this.#asked.has(id) && state.endpointsOf(id).some(endpoint => endpoint.joined);
      const isForgotten = !listed.has(id) && !inUse && state.network(id) !== undefined;
      if (isForgotten) {
        log.info(`network ${id.slice(0, 12)} is unknown to the engine and is removed`);
        await remove(id);
      }
      this.#unconfirmed.delete(id);
      this.#asked.delete(id);
    }
  }
}
