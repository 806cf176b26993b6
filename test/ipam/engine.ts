import { Ipam } from '../../src/ipam/ipam.ts';
import type { Call } from '../../src/protocol/types.ts';
import type { Store } from '../../src/store/types.ts';

export const CALL: Call = {
  signal: new AbortController().signal,
  changed() {},
  warn() {},
  about() {},
};

export interface NetworkWish {
  readonly pool?: string;
  readonly subPool?: string;
  readonly gateway?: string;
  readonly aux?: readonly string[];
  readonly v6?: boolean;
}

/** A network as the engine remembers it. */
export interface NetworkRecord {
  readonly poolId: string;
  readonly pool: string;
  readonly subPool: string | undefined;
  readonly gateway: string;
  readonly aux: readonly string[];
  readonly endpoints: Set<string>;
}

const given = <K extends string>(key: K, value: string | undefined) =>
  (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: string };

/**
 * Sends what an engine sends, in its order. `version` decides about names of containers: from 29 on.
 */
export class Engine {
  ipam: Ipam;
  readonly networks: NetworkRecord[] = [];
  readonly #version: 20 | 28 | 29;
  readonly #store: Store;

  constructor(store: Store, version: 20 | 28 | 29 = 29) {
    this.#store = store;
    this.#version = version;
    this.ipam = new Ipam(store);
    this.ipam.registered();
  }

  async createNetwork(wish: NetworkWish): Promise<NetworkRecord> {
    const { poolId, pool } = await this.#requestPool(wish.pool, wish.subPool, wish.v6 ?? false);
    const taken: string[] = [];
    try {
      const gateway = await this.#request(poolId, { gateway: true, address: wish.gateway });
      taken.push(gateway);
      for (const address of wish.aux ?? []) taken.push(await this.#request(poolId, { address }));
      const network = {
        poolId,
        pool,
        subPool: wish.subPool,
        gateway,
        aux: wish.aux ?? [],
        endpoints: new Set<string>(),
      };
      this.networks.push(network);
      return network;
    } catch (error) {
      for (const address of taken) await this.ipam.releaseAddress(poolId, address, CALL);
      await this.ipam.releasePool(poolId, CALL);
      throw error;
    }
  }

  async removeNetwork(network: NetworkRecord): Promise<void> {
    for (const address of [network.gateway, ...network.aux])
      await this.ipam.releaseAddress(network.poolId, address, CALL);
    await this.ipam.releasePool(network.poolId, CALL);
    this.networks.splice(this.networks.indexOf(network), 1);
  }

  /** @returns bare address */
  async start(network: NetworkRecord, name: string, address?: string): Promise<string> {
    const endpoint = await this.#request(network.poolId, {
      address,
      ...(this.#version === 29 ? { name } : {}),
    });
    network.endpoints.add(endpoint);
    return endpoint;
  }

  async stop(network: NetworkRecord, address: string): Promise<void> {
    network.endpoints.delete(address);
    await this.ipam.releaseAddress(network.poolId, address, CALL);
  }

  /**
   * The engine's process ends and another begins: it registers, and asks for everything that it remembers.
   * @param options.plugin the plugin's process ends as well
   * @param options.crash its containers die with it: it finds their endpoints stale and releases them after the replay
   */
  async restart(options: { plugin?: boolean; crash?: boolean } = {}): Promise<void> {
    if (options.plugin === true) this.restartPlugin();
    this.ipam.registered();
    for (const network of this.networks) {
      await this.#requestPool(network.pool, network.subPool, false);
      await this.#request(network.poolId, { gateway: true, address: network.gateway });
      for (const address of [...network.aux, ...network.endpoints])
        await this.#request(network.poolId, { address });
    }
    if (options.crash !== true) return;
    for (const network of this.networks)
      for (const address of network.endpoints) await this.stop(network, address);
  }

  /**
   * The plugin's process ends and another begins, which a legacy plugin's engine does not notice.
   * @param isInUse what the new one sees
   */
  restartPlugin(isInUse: (address: string) => boolean = () => false): void {
    this.ipam = new Ipam(this.#store, { isInUse, isGateway: () => false });
  }

  #requestPool(pool: string | undefined, subPool: string | undefined, v6: boolean) {
    const request = { addressSpace: this.ipam.localSpace, options: {}, v6 };
    return this.ipam.requestPool({ ...request, ...given('pool', pool), ...given('subPool', subPool) }, CALL);
  }

  async #request(
    poolId: string,
    { address, name, gateway = false }: { address?: string | undefined; name?: string; gateway?: boolean },
  ): Promise<string> {
    const request = {
      poolId,
      gateway,
      options: {},
      ...given('address', address),
      ...given('endpointName', name),
    };
    const answer = await this.ipam.requestAddress(request, CALL);
    const [bare = '', prefix] = answer.split('/');
    const wanted = /^[^/]+\/[^/]+\/(\d+)/.exec(poolId)?.[1];
    if (prefix !== wanted) throw new Error(`${answer} has not the prefix of ${poolId}`);
    return bare;
  }
}
