import { bareOf } from '../../src/addresses.ts';
import type { EngineEndpoint, EngineListing, EngineNetwork } from '../../src/engine/listing.ts';
import type { World } from '../driver/world.ts';

/** An engine's API, as far as the collector asks it. */
export class FakeEngine implements EngineListing {
  id = 'engine-1';
  /** What every question fails with while set. */
  failure: Error | undefined = undefined;
  readonly all = new Map<string, EngineNetwork & { endpoints: EngineEndpoint[] }>();
  readonly asked: string[] = [];

  async engineId(): Promise<string> {
    this.#answer('id');
    return this.id;
  }

  async networks(): Promise<readonly EngineNetwork[]> {
    this.#answer('networks');
    return [...this.all.values()];
  }

  async endpoints(networkId: string): Promise<readonly EngineEndpoint[]> {
    this.#answer(`endpoints of ${networkId.slice(0, 4)}`);
    const network = this.all.get(networkId);
    if (network === undefined) throw new Error('status 404');
    return network.endpoints;
  }

  /** Has the networks and endpoints that tsnet has, with addresses from elsewhere. */
  knowsAllOf(world: World): void {
    for (const { id } of world.state.networks()) {
      const endpoints = world.state.endpointsOf(id).map(endpoint => ({
        id: endpoint.id,
        addresses: [endpoint.address4, endpoint.address6].flatMap(address =>
          address === undefined ? [] : [bareOf(address)],
        ),
      }));
      this.all.set(id, { id, ipam: 'default', subnets: [], endpoints });
    }
  }

  forgetEndpoint(id: string): void {
    for (const network of this.all.values())
      network.endpoints = network.endpoints.filter(endpoint => endpoint.id !== id);
  }

  #answer(question: string): void {
    this.asked.push(question);
    if (this.failure !== undefined) throw this.failure;
  }
}
