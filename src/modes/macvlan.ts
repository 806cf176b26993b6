import { endpointMark, networkMark } from '../host-state/mark.ts';
import { merge } from '../host-state/merge.ts';
import { containerLinkName } from '../host-state/names.ts';
import { EMPTY, type HostState, type Link } from '../host-state/types.ts';
import type { Endpoint, Network } from '../model.ts';
import { ownAddressState } from '../publish/own-address.ts';
import { publishedState } from '../publish/published.ts';
import { publishesOnHost } from '../publish/wanted.ts';
import { publishedOverShim, publishingShim } from '../shim/publishing.ts';
import { shimOfEndpoint, shimOfNetwork } from '../shim/shim.ts';
import { gatewaysOf } from './addressing.ts';
import { insideState, interfaceName, placeOf } from './inside.ts';
import type { Mode } from './mode.ts';

/**
 * A macvlan link for each container on a parent link of the host, and the shim by which the host reaches them.
 * docs/modes/macvlan.md has the drawing.
 */
export const macvlan: Mode = {
  network(network, facts) {
    const shares = [ownParent(network)];
    if (network.options.shim) shares.push(shimOfNetwork(network, facts));
    if (publishesOnHost(network)) shares.push(publishingShim(network, facts));
    return merge(shares);
  },

  endpoint(network, endpoint, facts) {
    const parent = network.base.link;
    if (network.base.type === 'parent' && !facts.parents.has(parent)) return EMPTY;
    const shares = [
      { ...EMPTY, links: [containerLink(network, endpoint)] },
      insideState(network, endpoint, {
        alias: endpointMark(network.id, endpoint.id),
        madeAs: containerLinkName(endpoint.id),
      }),
      ownAddressState(network, endpoint),
      publishedState(network, endpoint),
    ];
    if (network.options.shim) shares.push(shimOfEndpoint(network, endpoint, facts));
    if (endpoint.published.length > 0) shares.push(publishedOverShim(network, endpoint, facts));
    return merge(shares);
  },

  join(network, endpoint) {
    return {
      interfaceName: interfaceName(network, endpoint, containerLinkName(endpoint.id)),
      // An isolated segment has nobody to route it further, whatever address the engine reserved.
      ...(network.base.type === 'parent' ? gatewaysOf(network, endpoint) : {}),
      staticRoutes: [],
      disableGatewayService: true,
    };
  },
};

function containerLink(network: Network, endpoint: Endpoint): Link {
  const place = placeOf(endpoint);
  return {
    kind: 'macvlan',
    name: containerLinkName(endpoint.id),
    alias: endpointMark(network.id, endpoint.id),
    parent: network.base.link,
    macvlanMode: network.options.macvlanMode,
    mac: endpoint.mac,
    up: false,
    ...(network.options.mtu > 0 ? { mtu: network.options.mtu } : {}),
    ...(place === undefined ? {} : { place }),
  };
}

/** The parent that tsnet makes where the user named none: leads nowhere, so the segment is isolated. */
function ownParent(network: Network): HostState {
  const { type, link } = network.base;
  if (type === 'parent') return EMPTY;
  const common = {
    name: link,
    alias: networkMark(network.id),
    up: true,
    noLinkLocal: true,
    ...(network.options.mtu > 0 ? { mtu: network.options.mtu } : {}),
  };
  return {
    ...EMPTY,
    links: [type === 'dummy' ? { kind: 'dummy', ...common } : { kind: 'bridge', ...common }],
  };
}
