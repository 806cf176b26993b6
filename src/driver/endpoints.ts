import { isDeepStrictEqual } from 'node:util';
import { bareOf } from '../addresses.ts';
import { TsnetError } from '../errors.ts';
import type { Endpoint, Network } from '../model.ts';
import { realSubnets, subnetOf } from '../modes/addressing.ts';
import { modeOf } from '../modes/desired.ts';
import { macOfAddress, stableMac } from '../modes/mac.ts';
import type {
  Call,
  CreateEndpointAnswer,
  CreateEndpointRequest,
  EndpointRef,
  JoinAnswer,
  JoinRequest,
} from '../protocol/types.ts';
import { hostSource } from '../shim/shim.ts';
import type { Attachments } from './attachments.ts';
import { refuseLate } from './change.ts';
import { type Context, endpointKeys, factsFor, stepsToAdd, stepsToDetach } from './context.ts';
import { EndpointRemoval } from './endpoint-removal.ts';
import { nameOfEndpoint, nameOfNetwork } from './object-names.ts';
import type { OutsideWorld } from './outside-world.ts';
import { requireEndpoint, requireNetwork } from './require.ts';
import { Spacing } from './spacing.ts';
import { wishesOf } from './wishes.ts';

/**
 * After DeleteEndpoint the engine counts one endpoint less, in its store. Up to 28 it loses count when two of a network are answered
 * within these milliseconds, and then does not remove the network ("has active endpoints", moby#17217, moby#42119): a
 * `docker compose down` would fail.
 */
const BETWEEN_DELETIONS = 6;

/** The life of endpoints: CreateEndpoint remembers one, Join makes its link, DeleteEndpoint takes it away. */
export class Endpoints {
  readonly #context: Context;
  readonly #outside: OutsideWorld;
  readonly #attachments: Attachments;
  readonly #removal: EndpointRemoval;
  readonly #deletions = new Spacing(BETWEEN_DELETIONS);

  constructor(context: Context, outside: OutsideWorld, attachments: Attachments) {
    this.#context = context;
    this.#outside = outside;
    this.#attachments = attachments;
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

  async join(request: JoinRequest, call: Call): Promise<JoinAnswer> {
    const { runner, state, kernel, changes } = this.#context;
    const answer = await runner.run(endpointKeys(request.networkId), async () => {
      const network = requireNetwork(this.#context.state, request.networkId);
      const known = requireEndpoint(this.#context.state, network, request.endpointId);
      const context = `${nameOfEndpoint(known)} on ${nameOfNetwork(network)}`;
      call.about(context);
      refuseLate(call, context);
      await this.#checkBase(network);
      const facts = await factsFor(kernel, network);
      const { left: _left, inside: _inside, prefix: _prefix, ...there } = known;
      const endpoint: Endpoint = {
        ...there,
        joined: true,
        sandbox: request.sandbox,
        ...(await this.#attachments.choose(network, known, request.sandbox)),
        ports: request.ports,
      };
      // What was made for another sandbox, or other ports, is found by nobody once the row says something else.
      const isOther = known.sandbox !== request.sandbox || !isDeepStrictEqual(known.ports, request.ports);
      if (known.joined && isOther) await changes.undo(stepsToDetach(network, known, facts), call, context);
      state.putEndpoint(endpoint);
      try {
        await changes.make(stepsToAdd(network, facts, endpoint), call, context);
        refuseLate(call, context);
      } catch (error) {
        await changes
          .undo(stepsToDetach(network, endpoint, facts), call, context)
          .catch((cause: unknown) => call.warn(`taking it back failed as well: ${cause}`));
        const { sandbox: _sandbox, inside: _place, prefix: _named, ...apart } = known;
        state.putEndpoint({ ...apart, joined: false });
        throw error;
      }
      const parent = network.options.shim ? facts.parents.get(network.base.link) : undefined;
      for (const cidr of [endpoint.address4, endpoint.address6]) {
        if (parent === undefined || cidr === undefined) continue;
        if (hostSource(network, parent, bareOf(cidr)) === undefined) {
          call.warn(`the host has no address on ${parent.name} to reach ${bareOf(cidr)} from`);
        }
      }
      return modeOf(network).join(network, endpoint);
    });
    // The engine asks for ports by the network that has the default gateway only.
    if (answer.gateway4 === undefined && answer.gateway6 === undefined)
      await this.#outside.program(request, call);
    return answer;
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

  /** What the network hangs on may have gone, or gone down, since it was created. */
  async #checkBase(network: Network): Promise<void> {
    if (network.base.kind === 'own') return;
    const link = await this.#context.kernel.link(network.base.link);
    const isBridge = network.base.type === 'bridge';
    if (link === undefined) {
      throw new TsnetError(
        isBridge ? 'BRIDGE_MISSING' : 'PARENT_MISSING',
        `${isBridge ? 'bridge' : 'parent'} ${network.base.link} of ${nameOfNetwork(network)} does not exist`,
      );
    }
    if (!isBridge && !link.up) {
      throw new TsnetError('PARENT_DOWN', `parent ${link.name} of ${nameOfNetwork(network)} is down`, {
        remedy: `Bring it up: ip link set ${link.name} up.`,
      });
    }
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
