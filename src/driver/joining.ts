import { bareOf } from '../addresses.ts';
import { TsnetError } from '../errors.ts';
import type { Endpoint, Network } from '../model.ts';
import { modeOf } from '../modes/desired.ts';
import type { HostFacts } from '../modes/mode.ts';
import type { Call, JoinAnswer, JoinRequest } from '../protocol/types.ts';
import { hostSource } from '../shim/shim.ts';
import type { Attachments } from './attachments.ts';
import { refuseLate } from './change.ts';
import { type Context, endpointKeys, factsFor, stepsToAdd, stepsToChange } from './context.ts';
import { nameOfEndpoint, nameOfNetwork } from './object-names.ts';
import type { OutsideWorld } from './outside-world.ts';
import { requireEndpoint, requireNetwork } from './require.ts';

/** Join: an endpoint's link is made, and its container told how to use it. */
export class Joining {
  readonly #context: Context;
  readonly #outside: OutsideWorld;
  readonly #attachments: Attachments;

  constructor(context: Context, outside: OutsideWorld, attachments: Attachments) {
    this.#context = context;
    this.#outside = outside;
    this.#attachments = attachments;
  }

  async join(request: JoinRequest, call: Call): Promise<JoinAnswer> {
    const keys = endpointKeys(request.networkId);
    const { answer, takeBack } = await this.#context.runner.run(keys, () => this.#make(request, call));
    // The engine asks for ports by the network that has the default gateway only.
    if (answer.gateway4 !== undefined || answer.gateway6 !== undefined) return answer;
    try {
      await this.#outside.program(request, call);
    } catch (error) {
      await this.#context.runner.run(keys, takeBack);
      throw error;
    }
    return answer;
  }

  async #make(request: JoinRequest, call: Call) {
    const { state, kernel, changes } = this.#context;
    const network = requireNetwork(state, request.networkId);
    const known = requireEndpoint(state, network, request.endpointId);
    const context = `${nameOfEndpoint(known)} on ${nameOfNetwork(network)}`;
    call.about(context);
    refuseLate(call, context);
    await this.#checkBase(network);
    refuseElsewhere(known, request, context);
    const facts = await factsFor(kernel, network);
    const { left: _left, inside: _inside, prefix: _prefix, ...there } = known;
    const endpoint: Endpoint = {
      ...there,
      joined: true,
      sandbox: request.sandbox,
      ...(await this.#attachments.choose(network, known, request.sandbox)),
      ports: request.ports,
    };
    const takeBack = () => this.#takeBack({ network, facts, known, endpoint }, call);
    // Of the call before, which may have been cut off half way, other ports may be left, and any of the rest be missing.
    const changed = known.joined ? stepsToChange(network, facts, known, endpoint) : [];
    try {
      state.putEndpoint(endpoint);
      await changes.make([...changed, ...stepsToAdd(network, facts, endpoint)], call, context);
      refuseLate(call, context);
    } catch (error) {
      await takeBack();
      throw error;
    }
    warnOfHost(network, endpoint, facts, call);
    return { answer: modeOf(network).join(network, endpoint), takeBack };
  }

  /** A refused Join leaves things as they were: nothing, or what an earlier one has made. */
  async #takeBack({ network, facts, known, endpoint }: Made, call: Call): Promise<void> {
    const { state, changes } = this.#context;
    const context = `${nameOfEndpoint(known)} on ${nameOfNetwork(network)}`;
    await changes
      .undo(stepsToChange(network, facts, endpoint, known), call, context)
      .catch(cause => call.warn(`taking it back failed as well: ${cause}`));
    // Unless it has been removed meanwhile, or never became another.
    const row = state.endpoint(network.id, known.id);
    if (row !== undefined && row !== known) state.putEndpoint(known);
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

interface Made {
  readonly network: Network;
  readonly facts: HostFacts;
  /** As it was before. */
  readonly known: Endpoint;
  readonly endpoint: Endpoint;
}

/** An endpoint is in one sandbox as long as it lives: for another, or for the same container started anew, engines make another. */
function refuseElsewhere({ joined, sandbox }: Endpoint, request: JoinRequest, context: string): void {
  if (!joined || sandbox === request.sandbox) return;
  throw new TsnetError('ENDPOINT_JOINED', `${context} is in sandbox ${sandbox} already`);
}

function warnOfHost(network: Network, endpoint: Endpoint, facts: HostFacts, call: Call): void {
  const parent = network.options.shim ? facts.parents.get(network.base.link) : undefined;
  for (const cidr of [endpoint.address4, endpoint.address6]) {
    if (parent === undefined || cidr === undefined) continue;
    if (hostSource(network, parent, bareOf(cidr)) === undefined)
      call.warn(`the host has no address on ${parent.name} to reach ${bareOf(cidr)} from`);
  }
}
