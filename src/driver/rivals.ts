import { TsnetError } from '../errors.ts';
import type { Endpoint, Network } from '../model.ts';
import type { EndpointRef } from '../protocol/types.ts';
import { ownClash } from '../publish/own-clash.ts';
import { wantedPorts } from '../publish/wanted.ts';
import type { Context } from './context.ts';
import { livenessOf } from './liveness.ts';

/** Tells, of what holds a port that another container asks for, whether it has to give way. */
export class Rivals {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  /**
   * An endpoint whose ports are in the way of those of `asking` and have no claim to them: it is of the same container,
   * which has changed its way out, or of one that is gone without a word (an engine that dies says nothing).
   * @returns undefined where the ports are rightly taken, or by somebody else than tsnet
   */
  async of(network: Network, asking: Endpoint, error: unknown): Promise<EndpointRef | undefined> {
    if (!(error instanceof TsnetError) || error.code !== 'PORT_TAKEN') return undefined;
    const { state, kernel } = this.#context;
    const wanted = wantedPorts(network, asking, true);
    // Nobody's giving way would help.
    if (ownClash(wanted) !== undefined) return undefined;
    const owners = new Set(
      wanted.flatMap(({ protocol, addresses, first, last }) =>
        last > first
          ? []
          : addresses.flatMap(address => kernel.holderOf({ protocol, address, port: first }) ?? []),
      ),
    );
    owners.delete(asking.id);
    const holders = state
      .networks()
      .flatMap(({ id }) => state.endpointsOf(id).filter(endpoint => owners.has(endpoint.id)));
    const liveness = await livenessOf(holders, kernel);
    const isRival = (holder: Endpoint) =>
      holder.sandbox === asking.sandbox || liveness.get(holder) === 'lost';
    // The request will be refused for the others, and is then to have changed nothing.
    if (!holders.every(isRival)) return undefined;
    const [rival] = holders;
    return rival && { networkId: rival.networkId, endpointId: rival.id };
  }
}
