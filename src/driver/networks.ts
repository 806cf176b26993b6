import { bareOf, cidrContains, parseAddress, parseCidr } from '../addresses.ts';
import { TsnetError } from '../errors.ts';
import { bridgeName, dummyName } from '../host-state/names.ts';
import type { Network, NetworkOptions } from '../model.ts';
import { realSubnets } from '../modes/addressing.ts';
import type { HostFacts } from '../modes/mode.ts';
import type { Call, CreateNetworkRequest, GwAllocAnswer, NetworkFlags } from '../protocol/types.ts';
import { refuseLate } from './change.ts';
import { chooseBase } from './choose-base.ts';
import {
  type Context,
  factsFor,
  factsForNetwork,
  networkKeys,
  stepsToAdd,
  stepsToRemove,
} from './context.ts';
import {
  describeNetwork,
  isSameNetwork,
  type NetworkDescription,
  refuseOverlap,
} from './describe-network.ts';
import { nameOfNetwork } from './object-names.ts';
import { parseOptions } from './parse-options.ts';

/** The life of networks: check, persist, apply; and back. */
export class Networks {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  /**
   * A macvlan network's gateway is a router of the LAN, or nobody: no address is reserved for it unless the user named
   * it (engines from 28 on do the same with their own macvlan driver). A bridge needs one for itself.
   */
  gwAllocCheck(flags: NetworkFlags): GwAllocAnswer {
    const skip = parseOptions(flags.generic, flags.internal).mode === 'macvlan';
    return { skipIpv4: skip, skipIpv6: skip };
  }

  async create(request: CreateNetworkRequest, call: Call): Promise<void> {
    const options = parseOptions(request.generic, request.internal);
    const description = describeNetwork(request, options);
    call.about(nameOfNetwork(description));
    const { runner, state } = this.#context;
    await runner.run(networkKeys(request.networkId, likelyLink(request.networkId, options)), async () => {
      refuseLate(call, nameOfNetwork(description));
      const existing = state.network(request.networkId);
      if (existing?.lifecycle === 'deleting') await this.#remove(existing, call);
      else if (existing !== undefined) return this.#repeat(existing, description, call);
      await this.#make(description, call);
      this.#context.created();
    });
  }

  /** An unknown network is no error: the engine repeats, and forgets a network whatever the driver answers. */
  async delete(id: string, call: Call): Promise<void> {
    const { runner, state } = this.#context;
    const known = state.network(id);
    if (known === undefined) return;
    call.about(nameOfNetwork(known));
    await runner.run(networkKeys(id, known.base.link), async () => {
      const network = state.network(id);
      if (network === undefined) return;
      try {
        await this.#remove(network, call);
        this.#context.deleted();
      } catch (error) {
        this.#context.undone(id);
        throw error;
      }
    });
  }

  async #make(description: NetworkDescription, call: Call): Promise<void> {
    const { state, kernel, changes } = this.#context;
    const others = state.networks().filter(other => other.id !== description.id);
    const base = await chooseBase(description.id, description.options, others, kernel);
    const network: Network = { ...description, base, lifecycle: 'live' };
    if (base.kind === 'own' && description.options.mode === 'bridge') refuseOverlap(description, others);
    const facts = await factsForNetwork(kernel, network);
    if (network.ipv6 && !facts.ipv6) {
      throw new TsnetError(
        'KERNEL_UNSUPPORTED',
        `${nameOfNetwork(network)} is to have IPv6, which this host has switched off`,
        {
          remedy: 'Boot without ipv6.disable=1, or create the network without IPv6.',
        },
      );
    }
    for (const warning of await this.#doubts(network, facts)) call.warn(warning);

    state.putNetwork(network);
    try {
      await changes.make(stepsToAdd(network, facts), call, nameOfNetwork(network));
      refuseLate(call, nameOfNetwork(network));
    } catch (error) {
      await this.#remove(network, call).catch((cause: unknown) =>
        call.warn(`taking it back failed as well: ${cause}`),
      );
      throw error;
    }
  }

  /** The engine lost the first answer, or the same swarm network is wanted again: what is there is seen to be whole. */
  async #repeat(existing: Network, description: NetworkDescription, call: Call): Promise<void> {
    if (!isSameNetwork(existing, description)) {
      throw new TsnetError('NETWORK_EXISTS', `${nameOfNetwork(existing)} exists with other settings`);
    }
    const { kernel, changes } = this.#context;
    const facts = await factsForNetwork(kernel, existing);
    await changes.make(stepsToAdd(existing, facts), call, nameOfNetwork(existing));
  }

  async #remove(network: Network, call: Call): Promise<void> {
    const { state, kernel, changes } = this.#context;
    // The row goes after the last link. Until then it says that the links are to go, should this process end here.
    if (network.lifecycle !== 'deleting') state.putNetwork({ ...network, lifecycle: 'deleting' });
    const live: Network = { ...network, lifecycle: 'live' };
    const endpoints = state
      .endpointsOf(network.id)
      .map(endpoint => ({ ...endpoint, lifecycle: 'live' as const }));
    const others = state
      .networks()
      .filter(other => other.id !== network.id)
      .map(other => ({ network: other, endpoints: state.endpointsOf(other.id) }));
    const facts = await factsFor(kernel, network);
    const steps = stepsToRemove({ network: live, endpoints }, others, facts);
    await changes.undo(steps, call, nameOfNetwork(network));
    for (const endpoint of endpoints) state.deleteEndpoint(endpoint);
    state.deleteNetwork(network.id);
  }

  /** What is allowed and yet seldom meant. */
  async #doubts(network: Network, facts: HostFacts): Promise<string[]> {
    const parent = network.base.type === 'parent' ? facts.parents.get(network.base.link) : undefined;
    if (parent === undefined) return [];
    const doubts: string[] = [];
    const families = [
      [realSubnets(network.subnets4), parent.addresses4],
      [realSubnets(network.subnets6), parent.addresses6],
    ] as const;
    for (const [subnets, addresses] of families) {
      const inside = subnets.some(s =>
        addresses.some(a => cidrContains(parseCidr(s.pool), parseAddress(bareOf(a)))),
      );
      if (subnets.length > 0 && addresses.length > 0 && !inside) {
        const [pools, own] = [subnets.map(s => s.pool).join(', '), addresses.join(', ')];
        doubts.push(
          `no subnet of ${pools} is one of parent ${parent.name} (${own}); the host reaches its containers only with --aux-address host=ADDRESS`,
        );
      }
    }
    if ((await this.#context.kernel.link(parent.name))?.up === false) {
      doubts.push(`parent ${parent.name} is down; containers cannot start on it until it is up`);
    }
    return doubts;
  }
}

/** The link a new network will hang on, by its options alone: what to hold before anything is read. */
const likelyLink = (id: string, options: NetworkOptions): string =>
  options.mode === 'bridge' ? (options.bridgeName ?? bridgeName(id)) : (options.parent ?? dummyName(id));
