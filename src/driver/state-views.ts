import type { Endpoint } from '../model.ts';
import { nameOfEndpoint, nameOfNetwork } from './object-names.ts';
import type { State } from './state.ts';

/* What other parts ask of the state as far as it is loaded: nothing here touches the store or throws. */

/** Whose a held port is, for the message to another who wants it. */
export function describeOwner(state: State, endpointId: string, container: string | undefined): string {
  for (const network of state.known()) {
    const endpoint = state.endpointsOf(network.id).find(({ id }) => id === endpointId);
    const who = container === undefined ? '' : `container ${container}, `;
    if (endpoint !== undefined) return `${who}${nameOfEndpoint(endpoint)} on ${nameOfNetwork(network)}`;
  }
  return `endpoint ${endpointId.slice(0, 12)}`;
}

/** Endpoints whose ports are published on the host. */
export const publishing = (state: State): Endpoint[] =>
  state.known().flatMap(({ id }) => state.endpointsOf(id).filter(({ published }) => published.length > 0));

/** Bridges that tsnet has made. */
export const ownBridges = (state: State): readonly string[] =>
  state
    .known()
    .flatMap(({ base, lifecycle }) =>
      base.kind === 'own' && base.type === 'bridge' && lifecycle === 'live' ? [base.link] : [],
    );

/** Links that networks hang on and did not make; none while the store cannot be read. */
export const foreignLinks = (state: State): ReadonlySet<string> =>
  new Set(state.known().flatMap(network => (network.base.kind === 'foreign' ? [network.base.link] : [])));
