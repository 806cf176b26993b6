import { setImmediate } from 'node:timers/promises';
import { TsnetError } from '../errors.ts';
import { diff } from '../host-state/diff.ts';
import { portText } from '../host-state/ops.ts';
import type { PortHold } from '../host-state/types.ts';
import type { Endpoint, Network, PublishedPort } from '../model.ts';
import { desiredEndpoint } from '../modes/desired.ts';
import type { HostFacts } from '../modes/mode.ts';
import type { Call } from '../protocol/types.ts';
import { ownPorts } from '../publish/own-address.ts';
import { ownClash } from '../publish/own-clash.ts';
import { type WantedPort, wantedPorts } from '../publish/wanted.ts';
import { refuseLate } from './change.ts';
import { type Context, factsFor } from './context.ts';
import { nameOfEndpoint, nameOfNetwork } from './object-names.ts';

/** Ports taken before other work of the event loop gets its turn: ranges of ten thousand are published for media servers. */
const BATCH = 50;

/** Publishes the ports of an endpoint on the host and takes them back. Callers hold the endpoint's network. */
export class Publisher {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  /**
   * Finds a port of the host for each that is asked for, and opens the way: all of them or, when one is taken, none.
   * @param relay whether the host's IPv6 addresses may be relayed to a container that has only IPv4
   * @throws TsnetError PORT_TAKEN, PORTS_EXHAUSTED, DESCRIPTORS_EXHAUSTED, HOST_ADDRESS, DEADLINE
   */
  async publish(network: Network, endpoint: Endpoint, relay: boolean, call: Call): Promise<void> {
    const facts = await factsFor(this.#context.kernel, network);
    // Repeated by the engine, or by its next process.
    if (endpoint.published.length > 0) return this.#apply(network, endpoint, facts, call);
    const wanted = wantedPorts(network, endpoint, relay && facts.ipv6);
    if (wanted.length === 0) {
      const onLan = network.options.mode === 'macvlan' && !network.internal;
      if (onLan && endpoint.ports.length > 0 && ownPorts(network, endpoint).length === 0)
        call.warn(`${endpoint.ports.length} port(s) are published nowhere`);
      return;
    }
    const clash = ownClash(wanted);
    if (clash !== undefined) throw new TsnetError('PORT_TAKEN', clash);
    refuseLate(call, `${nameOfEndpoint(endpoint)} on ${nameOfNetwork(network)}`);
    const published = await this.#take(wanted, endpoint, call);
    // What is made of ports on the container's own address was made at Join, and is found again by what was asked for then.
    const { ports } = this.#context.state.endpoint(network.id, endpoint.id) ?? endpoint;
    const after = { ...endpoint, ports, published };
    try {
      this.#context.state.putEndpoint(after);
      await this.#apply(network, after, facts, call);
      refuseLate(call, `${nameOfEndpoint(endpoint)} on ${nameOfNetwork(network)}`);
      this.#context.published();
    } catch (error) {
      await this.withdraw(network, after, call).catch((cause: unknown) =>
        call.warn(`taking it back failed as well: ${cause}`),
      );
      throw error;
    }
  }

  /** Takes the ports back, if there are any. @returns the endpoint as it is then */
  async withdraw(network: Network, endpoint: Endpoint, call: Call): Promise<Endpoint> {
    if (endpoint.published.length === 0) return endpoint;
    const { state, kernel, changes } = this.#context;
    const after = { ...endpoint, published: [] };
    state.putEndpoint(after);
    const facts = await factsFor(kernel, network);
    const steps = diff(desiredEndpoint(network, after, facts), desiredEndpoint(network, endpoint, facts));
    await changes.undo(steps, call, `${nameOfEndpoint(endpoint)} on ${nameOfNetwork(network)}`);
    return after;
  }

  async #apply(network: Network, endpoint: Endpoint, facts: HostFacts, call: Call): Promise<void> {
    const without = desiredEndpoint(network, { ...endpoint, published: [] }, facts);
    const steps = diff(desiredEndpoint(network, endpoint, facts), without);
    await this.#context.changes.make(steps, call, `${nameOfEndpoint(endpoint)} on ${nameOfNetwork(network)}`);
  }

  async #take(wanted: readonly WantedPort[], endpoint: Endpoint, call: Call): Promise<PublishedPort[]> {
    const published: PublishedPort[] = [];
    const taken: PortHold[] = [];
    try {
      for (const [number, port] of wanted.entries()) {
        if (number > 0 && number % BATCH === 0) await setImmediate();
        const holds = this.#find(port, endpoint.id);
        taken.push(...holds);
        for (const { protocol, address, port: hostPort } of holds)
          published.push({ protocol, hostAddress: address, hostPort, port: port.port });
      }
      return published;
    } catch (error) {
      const release = taken.map(hold => ({ op: 'hold.delete', hold }) as const);
      await this.#context.changes.undo(release, call, nameOfEndpoint(endpoint));
      throw error;
    }
  }

  /** The first port of the range that is free on all the addresses. */
  #find({ protocol, addresses, first, last }: WantedPort, owner: string): readonly PortHold[] {
    const { kernel } = this.#context;
    if (last <= first) return kernel.holdPort({ protocol, addresses, port: first, owner });
    for (let port = first; port <= last; port += 1) {
      try {
        // What this call has taken for another of the container's ports is not to be had twice.
        if (addresses.some(address => kernel.holderOf({ protocol, address, port }) === owner)) continue;
        return kernel.holdPort({ protocol, addresses, port, owner });
      } catch (error) {
        if (!(error instanceof TsnetError) || error.code !== 'PORT_TAKEN') throw error;
      }
    }
    const [address = ''] = addresses;
    throw new TsnetError(
      'PORTS_EXHAUSTED',
      `none of the ports ${portText({ protocol, address, port: first })} to ${last} is free`,
    );
  }
}
