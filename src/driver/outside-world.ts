import type { Call, EndpointRef, ProgramRequest } from '../protocol/types.ts';
import { type Context, endpointKeys } from './context.ts';
import { nameOfEndpoint, nameOfNetwork } from './object-names.ts';
import { Publisher } from './publisher.ts';
import { requireEndpoint, requireJoined, requireNetwork } from './require.ts';
import { Rivals } from './rivals.ts';

/** A container's ways to and from the outside world: ProgramExternalConnectivity and RevokeExternalConnectivity. */
export class OutsideWorld {
  readonly #context: Context;
  readonly #publisher: Publisher;
  readonly #rivals: Rivals;

  constructor(context: Context) {
    this.#context = context;
    this.#publisher = new Publisher(context);
    this.#rivals = new Rivals(context);
  }

  /**
   * The network has become the container's way out, and with it the one whose ports are published.
   * @throws TsnetError PORT_TAKEN, PORTS_EXHAUSTED, DESCRIPTORS_EXHAUSTED, HOST_ADDRESS: the engine then gives up the container's start
   */
  async program(request: ProgramRequest, call: Call): Promise<void> {
    const { runner, state } = this.#context;
    // An engine that boots clears a dead container's networks away one by one, and of what is left makes one its way out.
    if (state.isLost(request.endpointId)) return;
    // One that has been told to give way and still holds the port would be found for ever.
    const asked = new Set<string>();
    for (;;) {
      const rival = await runner.run(endpointKeys(request.networkId), async () => {
        const network = requireNetwork(this.#context.state, request.networkId);
        const endpoint = requireEndpoint(this.#context.state, network, request.endpointId);
        call.about(`${nameOfEndpoint(endpoint)} on ${nameOfNetwork(network)}`);
        requireJoined(endpoint, network);
        const asking = { ...endpoint, ports: request.ports };
        try {
          await this.#publisher.publish(network, asking, request.noRelay !== true, call);
          return undefined;
        } catch (error) {
          const found = await this.#rivals.of(network, asking, error);
          if (found === undefined || asked.has(found.endpointId)) throw error;
          asked.add(found.endpointId);
          return found;
        }
      });
      if (rival === undefined) return;
      // Not within the task above: two networks that wait for each other would wait for ever.
      await this.revoke(rival, call);
    }
  }

  /** Another network of the container has become its way out, or the container ends. */
  async revoke(ref: EndpointRef, call: Call): Promise<void> {
    const { runner, state } = this.#context;
    await runner.run(endpointKeys(ref.networkId), async () => {
      const network = state.network(ref.networkId);
      const endpoint = state.endpoint(ref.networkId, ref.endpointId);
      if (network === undefined || endpoint === undefined) return;
      call.about(`${nameOfEndpoint(endpoint)} on ${nameOfNetwork(network)}`);
      await this.#publisher.withdraw(network, endpoint, call);
    });
  }
}
