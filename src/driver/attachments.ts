import type { SandboxView } from '../kernel/sandbox/view.ts';
import type { Endpoint, Network } from '../model.ts';
import { present } from '../present.ts';
import { chooseInside, prefixForEngine } from './choose-inside.ts';
import type { Context } from './context.ts';

/** Decides who puts interfaces into containers, and counts it. */
export class Attachments {
  /** Since the start of the process; see DaemonStatus. */
  readonly counts = { byEngine: 0, inside: 0, unopened: 0 };
  readonly #context: Pick<Context, 'kernel' | 'state'>;

  constructor(context: Pick<Context, 'kernel' | 'state'>) {
    this.#context = context;
  }

  /**
   * @param sandbox path of the sandbox, as Join names it; engines up to 27 name one that is not there yet when a container starts
   * @returns the name of the interface that tsnet is to make there; or, where the engine is to move one, the prefix of its name if
   *   it is not the network's
   */
  async choose(
    network: Network,
    endpoint: Endpoint,
    sandbox: string,
  ): Promise<Pick<Endpoint, 'inside' | 'prefix'>> {
    // The call is repeated, perhaps after it was cut off half way.
    if (endpoint.joined && endpoint.sandbox === sandbox)
      return present({ inside: endpoint.inside, prefix: endpoint.prefix });
    const view = await this.#view(network, sandbox);
    const siblings = this.#insideOf(sandbox, endpoint);
    const inside = view === undefined ? undefined : chooseInside(network, endpoint, view, siblings);
    this.counts[inside === undefined ? 'byEngine' : 'inside'] += 1;
    if (inside !== undefined || endpoint.ifname === undefined) return present({ inside });
    return present({ prefix: prefixForEngine(endpoint.ifname, view, siblings) });
  }

  async #view(network: Network, sandbox: string): Promise<SandboxView | undefined> {
    if (network.options.attach === 'engine') return undefined;
    const view = await this.#context.kernel.viewSandbox(sandbox);
    if (view === undefined) this.counts.unopened += 1;
    return view;
  }

  /** Names of the interfaces that tsnet has made in a sandbox for other endpoints. */
  #insideOf(sandbox: string, { id }: Endpoint): string[] {
    const { state } = this.#context;
    return state
      .networks()
      .flatMap(network => state.endpointsOf(network.id))
      .filter(other => other.sandbox === sandbox && other.id !== id && other.lifecycle === 'live')
      .flatMap(({ inside }) => inside ?? []);
  }
}
