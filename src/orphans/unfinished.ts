import type { State } from '../driver/state.ts';
import { type Orphan, orphanEndpoint, orphanNetwork } from './orphan.ts';

/** What is to be removed and is not yet. @throws TsnetError STATE_* */
export const unfinished = (state: Pick<State, 'networks' | 'endpointsOf'>): Orphan[] =>
  state.networks().flatMap(network => [
    ...state
      .endpointsOf(network.id)
      .filter(({ lifecycle }) => lifecycle === 'deleting')
      .map(endpoint => orphanEndpoint(network, endpoint)),
    ...(network.lifecycle === 'deleting' ? [orphanNetwork(network)] : []),
  ]);
