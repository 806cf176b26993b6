import type { Endpoint, Network } from '../model.ts';
import { chooseInside } from './choose-inside.ts';
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
   * @returns the name of the interface that tsnet is to make there; undefined: the engine moves it
   */
  async choose(network: Network, endpoint: Endpoint, sandbox: string): Promise<string | undefined> {
    // The call is repeated, perhaps after it was cut off half way.
    if (endpoint.joined && endpoint.sandbox === sandbox) return endpoint.inside;
    const name =
      network.options.attach === 'engine' ? undefined : await this.#name(network, endpoint, sandbox);
    this.counts[name === undefined ? 'byEngine' : 'inside'] += 1;
    return name;
  }

  async #name(network: Network, endpoint: Endpoint, sandbox: string): Promise<string | undefined> {
    const { kernel, state } = this.#context;
    const view = await kernel.viewSandbox(sandbox);
    if (view === undefined) {
      this.counts.unopened += 1;
      return undefined;
    }
    const siblings = state
      .networks()
      .flatMap(({ id }) => state.endpointsOf(id))
      .filter(other => other.sandbox === sandbox && other.id !== endpoint.id && other.lifecycle === 'live')
      .flatMap(({ inside }) => inside ?? []);
    return chooseInside(network, endpoint, view, siblings);
  }
}
