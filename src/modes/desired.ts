import { merge } from '../host-state/merge.ts';
import { EMPTY, type HostState } from '../host-state/types.ts';
import type { Endpoint, ModeName, Network } from '../model.ts';
import { bridge } from './bridge.ts';
import { macvlan } from './macvlan.ts';
import type { HostFacts, Mode } from './mode.ts';

export const MODES: Readonly<Record<ModeName, Mode>> = { bridge, macvlan };

export const modeOf = (network: Network): Mode => MODES[network.options.mode];

/** What the network itself needs of the host, without its endpoints. */
export function desiredNetwork(network: Network, facts: HostFacts): HostState {
  return network.lifecycle === 'live' ? modeOf(network).network(network, facts) : EMPTY;
}

/** What one endpoint needs; nothing before Join or once its removal has begun. */
export function desiredEndpoint(network: Network, endpoint: Endpoint, facts: HostFacts): HostState {
  const present = network.lifecycle === 'live' && endpoint.lifecycle === 'live' && endpoint.joined;
  return present ? modeOf(network).endpoint(network, endpoint, facts) : EMPTY;
}

/** What everything in the store together needs of the host. */
export function desiredHost(
  networks: Iterable<Network>,
  endpointsOf: (network: Network) => Iterable<Endpoint>,
  facts: HostFacts,
): HostState {
  const states: HostState[] = [EMPTY];
  for (const network of networks) {
    states.push(desiredNetwork(network, facts));
    for (const endpoint of endpointsOf(network)) states.push(desiredEndpoint(network, endpoint, facts));
  }
  return merge(states);
}
