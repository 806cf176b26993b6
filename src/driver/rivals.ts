import { TsnetError } from '../errors.ts';
import type { Endpoint, Network } from '../model.ts';
import type { EndpointRef } from '../protocol/types.ts';
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
    const owners = new Set(
      wantedPorts(network, asking, true).flatMap(({ protocol, addresses, first }) =>
        addresses.flatMap(address => kernel.holderOf({ protocol, address, port: first }) ?? []),
      ),
    );
    owners.delete(asking.id);
    const holders = state
      .networks()
      .flatMap(({ id }) => state.endpointsOf(id).filter(endpoint => owners.has(endpoint.id)));
    const liveness = await livenessOf(holders, kernel);
    const rival = holders.find(
      holder => holder.sandbox === asking.sandbox || liveness.get(holder) === 'lost',
    );
    return rival && { networkId: rival.networkId, endpointId: rival.id };
  }
}
