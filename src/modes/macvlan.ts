import { endpointMark, networkMark } from '../host-state/mark.ts';
import { merge } from '../host-state/merge.ts';
import { containerLinkName } from '../host-state/names.ts';
import { EMPTY, type HostState, type Link } from '../host-state/types.ts';
import type { Endpoint, Network } from '../model.ts';
import { shimOfEndpoint, shimOfNetwork } from '../shim/shim.ts';
import { gatewaysOf } from './addressing.ts';
import type { Mode } from './mode.ts';

/**
 * A macvlan link for each container on a parent link of the host, and the shim by which the host reaches them.
 * docs/modes/macvlan.md has the drawing.
 */
export const macvlan: Mode = {
  network(network, facts) {
    const base = ownParent(network);
    return network.options.shim ? merge([base, shimOfNetwork(network, facts)]) : base;
  },

  endpoint(network, endpoint, facts) {
    const parent = network.base.link;
    if (network.base.type === 'parent' && !facts.parents.has(parent)) return EMPTY;
    const own: HostState = { ...EMPTY, links: [containerLink(network, endpoint)] };
    return network.options.shim ? merge([own, shimOfEndpoint(network, endpoint, facts)]) : own;
  },

  join(network, endpoint) {
    return {
      interfaceName: { srcName: containerLinkName(endpoint.id), dstPrefix: network.options.ifacePrefix },
      // An isolated segment has nobody to route it further, whatever address the engine reserved.
      ...(network.base.type === 'parent' ? gatewaysOf(network, endpoint) : {}),
      staticRoutes: [],
      disableGatewayService: true,
    };
  },
};

function containerLink(network: Network, endpoint: Endpoint): Link {
  return {
    kind: 'macvlan',
    name: containerLinkName(endpoint.id),
    alias: endpointMark(network.id, endpoint.id),
    parent: network.base.link,
    macvlanMode: network.options.macvlanMode,
    mac: endpoint.mac,
    up: false,
    ...(network.options.mtu > 0 ? { mtu: network.options.mtu } : {}),
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
