import type { Endpoint, Network } from '../model.ts';
import type { ListedPort } from '../protocol/admin-router.ts';
import { ownPorts } from '../publish/own-address.ts';
import { targetOf } from '../publish/wanted.ts';
import type { State } from './state.ts';

/**
 * Every published port: those on the host between Program and Revoke, those on a container's own address between Join
 * and Leave.
 * @throws TsnetError STATE_* while the store cannot be read
 */
export function listPublished(state: Pick<State, 'networks' | 'endpointsOf'>): readonly ListedPort[] {
  return state
    .networks()
    .filter(network => network.lifecycle === 'live')
    .flatMap(network =>
      state
        .endpointsOf(network.id)
        .filter(endpoint => endpoint.lifecycle === 'live')
        .flatMap(endpoint => [...onHost(network, endpoint), ...onItself(network, endpoint)]),
    );
}

function onHost(network: Network, endpoint: Endpoint): ListedPort[] {
  return endpoint.published.flatMap(({ protocol, hostAddress, hostPort, port }) => {
    const containerAddress = targetOf(endpoint, hostAddress);
    if (containerAddress === undefined) return [];
    const place = { protocol, hostAddress, hostPort, containerAddress, containerPort: port };
    return [{ ...owner(network, endpoint), ...place, at: 'host' }];
  });
}

function onItself(network: Network, endpoint: Endpoint): ListedPort[] {
  if (!endpoint.joined || endpoint.left === true) return [];
  return ownPorts(network, endpoint).map(({ protocol, address, from, to }) => ({
    ...owner(network, endpoint),
    protocol,
    hostAddress: address,
    hostPort: from,
    containerAddress: address,
    containerPort: to,
    at: 'self',
  }));
}

const owner = ({ id, name, options }: Network, endpoint: Endpoint) => ({
  networkId: id,
  ...(name === undefined ? {} : { network: name }),
  endpointId: endpoint.id,
  mode: options.mode,
});
