import { TsnetError } from '../errors.ts';
import type { Endpoint, Network } from '../model.ts';
import { realSubnets, subnetOf } from '../modes/addressing.ts';
import { macOfAddress, stableMac } from '../modes/mac.ts';
import type { Call, CreateEndpointAnswer, CreateEndpointRequest, EndpointRef } from '../protocol/types.ts';
import { refuseLate } from './change.ts';
import { type Context, endpointKeys, factsFor } from './context.ts';
import { EndpointRemoval } from './endpoint-removal.ts';
import { nameOfEndpoint, nameOfNetwork } from './object-names.ts';
import type { OutsideWorld } from './outside-world.ts';
import { requireNetwork } from './require.ts';
import { Spacing } from './spacing.ts';
import { wishesOf } from './wishes.ts';

/**
 * After DeleteEndpoint the engine counts one endpoint less, in its store. Up to 28 it loses count when two of a network are answered
 * within these milliseconds, and then does not remove the network ("has active endpoints", moby#17217, moby#42119): a
 * `docker compose down` would fail.
 */
const BETWEEN_DELETIONS = 6;

/** The life of endpoints: CreateEndpoint remembers one, Join (joining.ts) makes its link, DeleteEndpoint takes it away. */
export class Endpoints {
  readonly #context: Context;
  readonly #outside: OutsideWorld;
  readonly #removal: EndpointRemoval;
  readonly #deletions = new Spacing(BETWEEN_DELETIONS);

  constructor(context: Context, outside: OutsideWorld) {
    this.#context = context;
    this.#outside = outside;
    this.#removal = new EndpointRemoval(context);
  }

  async create(request: CreateEndpointRequest, call: Call): Promise<CreateEndpointAnswer> {
    // Before anything is changed for it.
    const wishes = wishesOf(request.options);
    const keys = [...endpointKeys(request.networkId), `endpoint ${request.endpointId}`];
    return this.#context.runner.run(keys, async () => {
      const network = requireNetwork(this.#context.state, request.networkId);
      call.about(`${nameOfEndpoint(asNamed(request))} on ${nameOfNetwork(network)}`);
      const existing = this.#context.state.endpoint(request.networkId, request.endpointId);
      if (existing?.lifecycle === 'live') return repeat(existing, request);
      if (existing !== undefined) await this.#removal.remove(network, existing, call);
      this.#refuseElsewhere(request);
      checkAddress(network, request.address4, network.subnets4);
      checkAddress(network, request.address6, network.subnets6);
      await this.#supersede(network, request, call);
      this.#refuseSecondPassthru(network);

      const mac = request.mac ?? (await this.#chooseMac(network, request));
      refuseLate(call, `endpoint on ${nameOfNetwork(network)}`);
      this.#context.state.putEndpoint({
        id: request.endpointId,
        networkId: request.networkId,
        lifecycle: 'live',
        ...(request.address4 === undefined ? {} : { address4: request.address4 }),
        ...(request.address6 === undefined ? {} : { address6: request.address6 }),
        mac,
        macFromEngine: request.mac !== undefined,
        joined: false,
        ...wishes,
        ports: [],
        published: [],
      });
      return request.mac === undefined ? { mac } : {};
    });
  }

  /**
   * The link is only remembered as left: the interface is still inside the container, and comes back to the host before DeleteEndpoint, which
   * removes it. Where it is until then is still remembered, should this process end in between.
   */
  async leave(ref: EndpointRef, call: Call): Promise<void> {
    const { runner, state } = this.#context;
    await runner.run(endpointKeys(ref.networkId), async () => {
      const endpoint = state.endpoint(ref.networkId, ref.endpointId);
      if (endpoint === undefined) return;
      call.about(nameOfEndpoint(endpoint));
      if (endpoint.left === undefined) state.putEndpoint({ ...endpoint, left: true });
    });
    // An engine that has restarted under its containers says nothing before this (protocol: Revoke after live-restore).
    await this.#outside.revoke(ref, call);
  }

  async delete(ref: EndpointRef, call: Call): Promise<void> {
    const { runner, state } = this.#context;
    state.forgetLost(ref.endpointId);
    await runner.run(endpointKeys(ref.networkId), async () => {
      const network = state.network(ref.networkId);
      const endpoint = state.endpoint(ref.networkId, ref.endpointId);
      if (network === undefined || endpoint === undefined) return;
      call.about(`${nameOfEndpoint(endpoint)} on ${nameOfNetwork(network)}`);
      await this.#removal.remove(network, endpoint, call);
    });
    await this.#deletions.pass(ref.networkId);
  }

  /**
   * An address that is given out again has no other holder: an endpoint that still has it was lost, for an engine that
   * dies sends neither Leave nor DeleteEndpoint (protocol: SIGKILL of dockerd without live-restore).
   */
  async #supersede(network: Network, request: CreateEndpointRequest, call: Call): Promise<void> {
    const lost = this.#context.state
      .endpointsOf(network.id)
      .filter(
        endpoint =>
          endpoint.id !== request.endpointId &&
          !this.#removal.isGoing(endpoint.id) &&
          ((endpoint.address4 !== undefined && endpoint.address4 === request.address4) ||
            (endpoint.address6 !== undefined && endpoint.address6 === request.address6)),
      );
    for (const endpoint of lost) {
      call.warn(`${nameOfEndpoint(endpoint)} was never removed by the engine; its address is given out anew`);
      await this.#removal.remove(network, endpoint, call);
    }
  }

  /** An id is that of one endpoint, in the store as in the names of links. */
  #refuseElsewhere({ networkId, endpointId }: CreateEndpointRequest): void {
    const { state } = this.#context;
    const other = state
      .networks()
      .find(({ id }) => id !== networkId && state.endpoint(id, endpointId) !== undefined);
    if (other === undefined) return;
    const what = `endpoint ${endpointId.slice(0, 12)} exists on ${nameOfNetwork(other)}`;
    throw new TsnetError('ENDPOINT_EXISTS', what);
  }

  /** The kernel would say EINVAL, and only when the container starts. */
  #refuseSecondPassthru(network: Network): void {
    if (network.options.macvlanMode !== 'passthru') return;
    const rival = this.#context.state.endpointsOf(network.id).find(({ id }) => !this.#removal.isGoing(id));
    if (rival === undefined) return;
    const what = `${nameOfNetwork(network)} is passthru and ${nameOfEndpoint(rival)} holds its one place`;
    throw new TsnetError('PARENT_BUSY', what);
  }

  async #chooseMac(network: Network, request: CreateEndpointRequest): Promise<string> {
    if (network.options.macvlanMode === 'passthru') {
      // A passthru link lends its MAC to the parent; with the parent's own, nothing changes for the LAN.
      const { parents } = await factsFor(this.#context.kernel, network);
      const mac = parents.get(network.base.link)?.mac;
      if (mac !== undefined) return mac;
    }
    const address = request.address4 ?? request.address6;
    return address === undefined ? stableMac('endpoint', request.endpointId) : macOfAddress(address);
  }
}

const asNamed = (request: CreateEndpointRequest) => ({
  id: request.endpointId,
  ...(request.address4 === undefined ? {} : { address4: request.address4 }),
  ...(request.address6 === undefined ? {} : { address6: request.address6 }),
});

function checkAddress(network: Network, address: string | undefined, subnets: Network['subnets4']): void {
  if (address === undefined || realSubnets(subnets).length === 0) return;
  if (subnetOf(subnets, address) === undefined) {
    throw new TsnetError(
      'ADDRESS_INVALID',
      `address ${address} is in no subnet of ${nameOfNetwork(network)}`,
    );
  }
}

function repeat(existing: Endpoint, request: CreateEndpointRequest): CreateEndpointAnswer {
  const same =
    existing.address4 === request.address4 &&
    existing.address6 === request.address6 &&
    (request.mac === undefined ? !existing.macFromEngine : existing.mac === request.mac);
  if (!same)
    throw new TsnetError('ENDPOINT_EXISTS', `${nameOfEndpoint(existing)} exists with other settings`);
  return request.mac === undefined ? { mac: existing.mac } : {};
}
