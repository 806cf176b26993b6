import { TsnetError } from '../errors.ts';
import type { Endpoint, Network } from '../model.ts';
import type { Store } from '../store/types.ts';

/** Name of a setting of the store. */
const RESTORED = 'restored sandboxes';

/**
 * The store's networks and endpoints in memory. A change is durable before it is visible here, so what a reader sees
 * survives the process. Loaded at first use: a store that cannot be opened fails the call and is tried again.
 */
export class State {
  readonly #store: Store;
  #networks: Map<string, Network> | undefined;
  readonly #endpoints = new Map<string, Map<string, Endpoint>>();
  #restored: ReadonlySet<string> | undefined;
  /** Ids of endpoints that went with their containers and that the engine has not deleted yet. */
  readonly #lost = new Set<string>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** @throws TsnetError STATE_* while the store cannot be read */
  load(): Map<string, Network> {
    if (this.#networks !== undefined) return this.#networks;
    const networks = new Map(this.#store.networks().map(network => [network.id, network]));
    this.#endpoints.clear();
    for (const endpoint of this.#store.endpoints()) this.#of(endpoint.networkId).set(endpoint.id, endpoint);
    this.#networks = networks;
    return networks;
  }

  networks(): Network[] {
    return [...this.load().values()];
  }

  /** The networks as far as they are loaded: never touches the store, never throws. */
  known(): Network[] {
    return [...(this.#networks?.values() ?? [])];
  }

  network(id: string): Network | undefined {
    return this.load().get(id);
  }

  endpoint(networkId: string, id: string): Endpoint | undefined {
    this.load();
    return this.#endpoints.get(networkId)?.get(id);
  }

  endpointsOf(networkId: string): Endpoint[] {
    this.load();
    return [...(this.#endpoints.get(networkId)?.values() ?? [])];
  }

  putNetwork(network: Network): void {
    const networks = this.load();
    this.#store.putNetwork(network);
    networks.set(network.id, network);
  }

  deleteNetwork(id: string): void {
    const networks = this.load();
    this.#store.deleteNetwork(id);
    networks.delete(id);
    this.#endpoints.delete(id);
  }

  putEndpoint(endpoint: Endpoint): void {
    this.load();
    this.#store.putEndpoint(endpoint);
    this.#of(endpoint.networkId).set(endpoint.id, endpoint);
    this.#lost.delete(endpoint.id);
  }

  /**
   * Deletes an endpoint whose container is gone, which the engine may have to find out yet. Where the store cannot be written it is to be
   * removed from now on, until its row can be deleted; the next start would find out the same.
   * @returns whether it is deleted
   */
  loseEndpoint(endpoint: Endpoint): boolean {
    this.load();
    this.#lost.add(endpoint.id);
    const isDeleted = unlessUnwritable(() => this.#store.deleteEndpoint(endpoint.id));
    const endpoints = this.#of(endpoint.networkId);
    if (isDeleted) endpoints.delete(endpoint.id);
    else endpoints.set(endpoint.id, { ...endpoint, lifecycle: 'deleting' });
    return isDeleted;
  }

  /** Says of an endpoint that was left that it is to be removed, which the next start finds out as well. */
  giveUpEndpoint(endpoint: Endpoint): void {
    const after: Endpoint = { ...endpoint, lifecycle: 'deleting' };
    this.load();
    unlessUnwritable(() => this.#store.putEndpoint(after));
    this.#of(endpoint.networkId).set(endpoint.id, after);
  }

  isLost(endpointId: string): boolean {
    return this.#lost.has(endpointId);
  }

  /** The engine has found out. */
  forgetLost(endpointId: string): void {
    this.#lost.delete(endpointId);
  }

  deleteEndpoint(endpoint: Endpoint): void {
    this.load();
    this.#store.deleteEndpoint(endpoint.id);
    this.#endpoints.get(endpoint.networkId)?.delete(endpoint.id);
  }

  /** Paths of the sandboxes that restored-sandboxes.ts is about. */
  restoredSandboxes(): ReadonlySet<string> {
    this.#restored ??= parsePaths(this.#store.setting(RESTORED));
    return this.#restored;
  }

  putRestoredSandboxes(paths: ReadonlySet<string>): void {
    this.#store.putSetting(RESTORED, JSON.stringify([...paths]));
    this.#restored = paths;
  }

  #of(networkId: string): Map<string, Endpoint> {
    let map = this.#endpoints.get(networkId);
    if (map === undefined) {
      map = new Map();
      this.#endpoints.set(networkId, map);
    }
    return map;
  }
}

/**
 * @returns whether it was written: false where the disk is full or read-only
 * @throws whatever else `write` throws
 */
function unlessUnwritable(write: () => void): boolean {
  try {
    write();
    return true;
  } catch (error) {
    if (!isUnwritable(error)) throw error;
    return false;
  }
}

/** Whether an error says that the store can be read and not be written. */
export const isUnwritable = (error: unknown): boolean =>
  error instanceof TsnetError && (error.code === 'STATE_UNWRITABLE' || error.code === 'STATE_FULL');

function parsePaths(text = '[]'): ReadonlySet<string> {
  const list: unknown = JSON.parse(text);
  return new Set(Array.isArray(list) ? list.map(String) : []);
}
