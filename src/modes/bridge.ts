import { bareOf } from '../addresses.ts';
import { endpointMark, networkMark } from '../host-state/mark.ts';
import { containerLinkName, portName } from '../host-state/names.ts';
import { EMPTY, type FirewallElement, type HostState, type Sysctl } from '../host-state/types.ts';
import type { Endpoint, Network } from '../model.ts';
import { gatewaysOf, realSubnets } from './addressing.ts';
import { macOfAddress, portMac, stableMac } from './mac.ts';
import type { HostFacts, Mode } from './mode.ts';

/**
 * A bridge on the host that carries the gateway addresses, a veth pair from it to each container, and NAT to the
 * outside. docs/modes/bridge.md has the drawing.
 */
export const bridge: Mode = {
  network(network, facts) {
    return network.base.kind === 'own' ? ownBridge(network, facts) : foreignBridge(network);
  },

  endpoint(network, endpoint, facts) {
    const present = network.base.kind === 'own' || facts.parents.has(network.base.link);
    const mtu = network.options.mtu > 0 ? { mtu: network.options.mtu } : {};
    return {
      ...EMPTY,
      links: [
        {
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
          ...mtu,
          peer: { name: containerLinkName(endpoint.id), mac: endpoint.mac, ...mtu },
        },
      ],
      firewall: network.base.kind === 'foreign' ? guestElements(network, endpoint) : [],
    };
  },

  join(network, endpoint, publishes) {
    const byEngine = publishes && !network.internal;
    return {
      interfaceName: { srcName: containerLinkName(endpoint.id), dstPrefix: network.options.ifacePrefix },
      // The engine publishes ports on networks of its own only, and on the one that has the default gateway. Without
      // one here it takes another network of the container, or else adds an interface on docker_gwbridge; which network
      // it will be is not known at this moment, for it joins them in random order.
      ...(byEngine ? {} : gatewaysOf(network, endpoint)),
      staticRoutes: [],
      // Or the engine adds that interface to every container that was meant to be without a gateway.
      disableGatewayService: !byEngine,
    };
  },
};

function ownBridge(network: Network, facts: HostFacts): HostState {
  const name = network.base.link;
  const { options, internal } = network;
  const gateways = [...realSubnets(network.subnets4), ...realSubnets(network.subnets6)].flatMap(subnet =>
    subnet.gateway === undefined ? [] : [subnet.gateway],
  );
  const elements: FirewallElement[] = [
    { set: 'bridges', key: [name] },
    { set: 'same_bridge', key: [name, name] },
  ];
  if (!options.icc) elements.push({ set: 'no_icc', key: [name] });
  if (internal) elements.push({ set: 'internal', key: [name] });
  if (options.masquerade && !internal) {
    if (network.ipv4) elements.push({ set: 'masquerade4', key: [name] });
    if (network.ipv6) elements.push({ set: 'masquerade6', key: [name] });
  }
  return {
    ...EMPTY,
    links: [
      {
        kind: 'bridge',
        name,
        alias: networkMark(network.id),
        // Or the bridge takes the lowest MAC of its ports, which changes under the containers' ARP caches.
        mac: gateways[0] === undefined ? stableMac('bridge', network.id) : macOfAddress(gateways[0]),
        up: true,
        noLinkLocal: !network.ipv6,
        ...(options.mtu > 0 ? { mtu: options.mtu } : {}),
      },
    ],
    addresses: gateways.map(address => ({ link: name, address })),
    sysctls: [
      ...(facts.ipv6 ? [{ path: `net/ipv6/conf/${name}/accept_ra`, value: '0' }] : []),
      ...(internal ? [] : forwarding(network, facts)),
    ],
    firewall: elements,
  };
}

/** Somebody else's bridge is used, not shaped: no address, no removal, and rules only for tsnet's own containers. */
function foreignBridge(network: Network): HostState {
  const name = network.base.link;
  return { ...EMPTY, firewall: [{ set: 'same_bridge', key: [name, name] }] };
}

function guestElements(network: Network, endpoint: Endpoint): FirewallElement[] {
  const bridgeName = network.base.link;
  const masquerade = network.options.masquerade && !network.internal;
  const elements: FirewallElement[] = [];
  if (endpoint.address4 !== undefined) {
    elements.push({ set: 'guest4', key: [bridgeName, bareOf(endpoint.address4)] });
    if (masquerade) elements.push({ set: 'guest_masquerade4', key: [bridgeName, bareOf(endpoint.address4)] });
  }
  if (endpoint.address6 !== undefined) {
    elements.push({ set: 'guest6', key: [bridgeName, bareOf(endpoint.address6)] });
    if (masquerade) elements.push({ set: 'guest_masquerade6', key: [bridgeName, bareOf(endpoint.address6)] });
  }
  return elements;
}

function forwarding(network: Network, facts: HostFacts): Sysctl[] {
  const sysctls: Sysctl[] = [];
  if (network.ipv4) sysctls.push({ path: 'net/ipv4/ip_forward', value: '1' });
  if (network.ipv6 && facts.ipv6) sysctls.push({ path: 'net/ipv6/conf/all/forwarding', value: '1' });
  return sysctls;
}
