import type { Endpoint, Network } from '../model.ts';
import { chooseInside } from './choose-inside.ts';
import type { Context } from './context.ts';

/** Decides who puts interfaces into containers, and counts it. */
export class Attachments {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  /**
   * @param sandbox path of the sandbox, as Join names it; engines up to 27 name one that is not there yet when a container starts
   * @returns the name of the interface that tsnet is to make there; undefined: the engine moves it
   */
  async choose(network: Network, endpoint: Endpoint, sandbox: string): Promise<string | undefined> {
    const { kernel, state } = this.#context;
    // The call is repeated, perhaps after it was cut off half way.
    if (endpoint.joined && endpoint.sandbox === sandbox) return endpoint.inside;
    if (network.options.attach === 'engine') return undefined;
    const view = await kernel.viewSandbox(sandbox);
    if (view === undefined) return undefined;
    const siblings = state
      .networks()
      .flatMap(({ id }) => state.endpointsOf(id))
      .filter(other => other.sandbox === sandbox && other.id !== endpoint.id && other.lifecycle === 'live')
      .flatMap(({ inside }) => inside ?? []);
    return chooseInside(network, endpoint, view, siblings);
  }
}
