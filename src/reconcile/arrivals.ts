import { endpointKeys, factsFor } from '../driver/context.ts';
import { livenessOf } from '../driver/liveness.ts';
import { nameOfEndpoint, nameOfNetwork } from '../driver/object-names.ts';
import type { Runner } from '../driver/runner.ts';
import type { State } from '../driver/state.ts';
import { diff } from '../host-state/diff.ts';
import { containerLinkName } from '../host-state/names.ts';
import { changesOf } from '../host-state/ops.ts';
import { EMPTY } from '../host-state/types.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Log } from '../log.ts';
import type { Endpoint } from '../model.ts';
import { desiredEndpoint } from '../modes/desired.ts';

export interface ArrivalParts {
  readonly state: Pick<State, 'networks' | 'network' | 'endpoint' | 'endpointsOf'>;
  readonly runner: Pick<Runner, 'run'>;
  readonly kernel: Kernel;
  /** Has the whole host put right. @param loss what for, in words */
  readonly repair: (loss: string) => void;
  readonly log: Log;
}

/**
 * Does inside a container what waited for its link: engines before 28 make the sandbox long after Join; with later ones it is there already,
 * and is set once more. One container is not worth a look at the whole host, in which each container with ports of its own address is
 * entered, and for which all calls wait.
 */
export class Arrivals {
  readonly #parts: ArrivalParts;

  constructor(parts: ArrivalParts) {
    this.#parts = parts;
  }

  /**
   * Never rejects: what cannot be done here is left to a repair of the whole host.
   * @param link name of the link that has left the host
   */
  async settle(link: string): Promise<void> {
    try {
      if (await this.#redirect(link)) return;
    } catch (error) {
      this.#parts.log.warn(`link ${link} moved into its container: ${String(error)}`);
    }
    this.#parts.repair(`link ${link} moved into its container`);
  }

  /** @returns whether the link is in its container and has what waited for it */
  async #redirect(link: string): Promise<boolean> {
    const { state, runner, kernel, log } = this.#parts;
    const found = this.#endpointOf(link);
    if (found === undefined) return false;
    const started = performance.now();
    return runner.run(endpointKeys(found.networkId), async () => {
      const network = state.network(found.networkId);
      const endpoint = state.endpoint(found.networkId, found.id);
      if (network === undefined || endpoint === undefined) return false;
      const liveness = await livenessOf([endpoint], kernel);
      if (liveness.get(endpoint) !== 'sandbox') return false;
      const { redirects } = desiredEndpoint(network, endpoint, await factsFor(kernel, network));
      const steps = diff({ ...EMPTY, redirects }, EMPTY);
      const object = `${nameOfEndpoint(endpoint)} on ${nameOfNetwork(network)}`;
      await kernel.apply(steps, { context: object });
      const ms = Math.round((performance.now() - started) * 10) / 10;
      log.info(`${object} is in its container`, { changed: changesOf(steps), ms });
      return true;
    });
  }

  #endpointOf(link: string): Endpoint | undefined {
    const { state } = this.#parts;
    for (const { id } of state.networks()) {
      const found = state.endpointsOf(id).find(endpoint => containerLinkName(endpoint.id) === link);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
