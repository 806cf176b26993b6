import { endpointMark } from '../host-state/mark.ts';
import { containerLinkName } from '../host-state/names.ts';
import { hiddenLinks } from '../host-state/ops.ts';
import type { Endpoint, Network } from '../model.ts';
import type { Call } from '../protocol/types.ts';
import { type Context, endpointKeys, factsFor, stepsToDetach } from './context.ts';
import { nameOfEndpoint, nameOfNetwork } from './object-names.ts';

/** How endpoints go: what the kernel is long about goes on after the call has been answered. Callers hold the endpoint's network. */
export class EndpointRemoval {
  readonly #context: Context;
  /** Ids of those that are removed but for what the kernel does in the background. */
  readonly #going = new Set<string>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** Whether nothing of it is left but a link that the kernel is deleting. */
  isGoing(endpointId: string): boolean {
    return this.#going.has(endpointId);
  }

  /** Takes its link and all that leads to it away, past failures. @throws TsnetError with all of them */
  async remove(network: Network, endpoint: Endpoint, call: Call): Promise<void> {
    const { state, kernel, changes } = this.#context;
    if (endpoint.lifecycle !== 'deleting') state.putEndpoint({ ...endpoint, lifecycle: 'deleting' });
    const live: Endpoint = {
      ...endpoint,
      lifecycle: 'live',
      ...(await this.#foundInside(network, endpoint)),
    };
    const steps = stepsToDetach({ ...network, lifecycle: 'live' }, live, await factsFor(kernel, network));
    await changes.undo(steps, call, `${nameOfEndpoint(endpoint)} on ${nameOfNetwork(network)}`);
    const hidden = hiddenLinks(steps);
    if (hidden.length === 0) state.deleteEndpoint(endpoint);
    else void this.#forgetWhenGone(endpoint, hidden);
  }

  /**
   * An engine that gives up the start of a container late, because its ports could not be published, leaves the interface in the sandbox
   * and that to the kernel, which takes its time; the container's next start would find its MAC taken, for that stays with the address.
   */
  async #foundInside(
    { options }: Network,
    { networkId, id, inside, sandbox }: Endpoint,
  ): Promise<Pick<Endpoint, 'inside'>> {
    const { kernel } = this.#context;
    // Of a veth pair one end is on the host, and takes the other one along.
    if (options.mode !== 'macvlan' || inside !== undefined || sandbox === undefined) return {};
    if ((await kernel.link(containerLinkName(id))) !== undefined) return {};
    const links = await kernel.sandboxLinks(sandbox).catch(() => undefined);
    const found = links?.find(({ alias }) => alias === endpointMark(networkId, id));
    return found === undefined ? {} : { inside: found.name };
  }

  /**
   * A link that was made in a container may have nothing on the host that bears a mark: should this process end before the kernel has
   * deleted it, only the endpoint's row leads there. Never rejected.
   */
  async #forgetWhenGone({ networkId, id }: Endpoint, links: readonly string[]): Promise<void> {
    const { state, kernel, runner } = this.#context;
    this.#going.add(id);
    try {
      const isGone = await kernel.gone(links);
      await runner.run(endpointKeys(networkId), async () => {
        const row = state.endpoint(networkId, id);
        if (isGone && row?.lifecycle === 'deleting') state.deleteEndpoint(row);
      });
    } catch {
      // The row says what is to be done, and the next reconcile does it.
    } finally {
      this.#going.delete(id);
    }
  }
}
