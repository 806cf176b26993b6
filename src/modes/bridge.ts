import { bareOf, familyOf } from '../addresses.ts';
import { endpointMark } from '../host-state/mark.ts';
import { merge } from '../host-state/merge.ts';
import { containerLinkName, portName } from '../host-state/names.ts';
import { EMPTY, type FirewallElement, type HostState, type Link } from '../host-state/types.ts';
import type { Endpoint, GatewayMode, Network } from '../model.ts';
import { admission, publishedState } from '../publish/published.ts';
import { hostAddressesOf } from '../publish/wanted.ts';
import { addressesOf, gatewaysOf } from './addressing.ts';
import { foreignBridge, guestState } from './foreign-bridge.ts';
import { insideState, interfaceName, placeOf } from './inside.ts';
import { portMac } from './mac.ts';
import type { Mode } from './mode.ts';
import { ownBridge } from './own-bridge.ts';

/**
 * A bridge on the host that carries the gateway addresses, a veth pair from it to each container, and NAT to the
 * outside. docs/modes/bridge.md has the drawing.
 */
export const bridge: Mode = {
  network(network, facts) {
    return network.base.kind === 'own' ? ownBridge(network, facts) : foreignBridge(network, facts);
  },

  endpoint(network, endpoint, facts) {
    const present = network.base.kind === 'own' || facts.parents.has(network.base.link);
    const own: HostState = {
      ...EMPTY,
      links: [containerPort(network, endpoint, present)],
      firewall: openPorts(network, endpoint),
      residents: addressesOf(endpoint),
    };
    const shares = [
      own,
      insideState(network, endpoint, { port: portName(endpoint.id) }),
      publishedState(network, endpoint),
    ];
    if (network.base.kind === 'foreign') shares.push(guestState(network, endpoint, facts));
    return merge(shares);
  },

  join(network, endpoint) {
    return {
      interfaceName: interfaceName(network, endpoint, containerLinkName(endpoint.id)),
      ...gatewaysOf(network, endpoint),
      staticRoutes: [],
      // Or the engine adds an interface on docker_gwbridge to a container that was meant to be without a gateway.
      disableGatewayService: true,
    };
  },
};

function containerPort(network: Network, endpoint: Endpoint, present: boolean): Link {
  const mtu = network.options.mtu > 0 ? { mtu: network.options.mtu } : {};
  const place = placeOf(endpoint);
  return {
    kind: 'veth',
    name: portName(endpoint.id),
    alias: endpointMark(network.id, endpoint.id),
    mac: portMac(endpoint.id),
    up: true,
    noLinkLocal: true,
    ...(present ? { master: network.base.link } : {}),
    // Kept apart by the bridge itself: frames between two ports of it never reach netfilter on a host
    // without br_netfilter.
    isolated: !network.options.icc,
    // With br_netfilter a container's packet to its own published port is turned round within the bridge.
    ...(endpoint.ports.length > 0 ? { hairpin: true } : {}),
    ...mtu,
    peer: { name: place?.name ?? containerLinkName(endpoint.id), mac: endpoint.mac, ...mtu },
    ...(place === undefined ? {} : { place }),
  };
}

/** Where nothing is translated, publishing a port is to let packets to the container's own address and port through. */
function openPorts(network: Network, { address4, address6, ports }: Endpoint): FirewallElement[] {
  if (network.internal) return [];
  const open = (family: 4 | 6, mode: GatewayMode, cidr: string | undefined): FirewallElement[] => {
    const meant = ports.filter(port =>
      hostAddressesOf(network, port).some(address => familyOf(address) === family),
    );
    if (mode !== 'routed' || cidr === undefined || meant.length === 0) return [];
    const address = bareOf(cidr);
    const elements = meant.map(
      ({ protocol, port }): FirewallElement => ({
        set: `open${family}`,
        key: [address, protocol, String(port)],
      }),
    );
    return [...elements, ...admission(network, address)];
  };
  const { gatewayMode4, gatewayMode6 } = network.options;
  return [...open(4, gatewayMode4, address4), ...open(6, gatewayMode6, address6)];
}
