import { networkMark } from '../host-state/mark.ts';
import { EMPTY, type FirewallElement, type HostState, type Sysctl } from '../host-state/types.ts';
import type { Network } from '../model.ts';
import { isNat } from '../publish/wanted.ts';
import { realSubnets } from './addressing.ts';
import { policyOf } from './bridge-policy.ts';
import { macOfAddress, stableMac } from './mac.ts';
import type { HostFacts } from './mode.ts';

/** A bridge that tsnet makes: its link, the gateway addresses on it, the settings and rules around it. */
export function ownBridge(network: Network, facts: HostFacts): HostState {
  const name = network.base.link;
  const { options, internal } = network;
  const gateways = [
    ...(options.gatewayMode4 === 'isolated' ? [] : gatewayAddresses(network.subnets4)),
    ...(options.gatewayMode6 === 'isolated' ? [] : gatewayAddresses(network.subnets6)),
  ];
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
        // By a link-local address the host's services would be reached all the same (moby#49262).
        noLinkLocal: !network.ipv6 || options.gatewayMode6 === 'isolated',
        ...(options.mtu > 0 ? { mtu: options.mtu } : {}),
      },
    ],
    addresses: gateways.map(address => ({ link: name, address })),
    sysctls: [
      ...(facts.ipv6 ? sysctls6(name) : []),
      ...(localnet(network) ? [{ path: `net/ipv4/conf/${name}/route_localnet`, value: '1' }] : []),
      ...(internal ? [] : forwarding(network, facts)),
    ],
    firewall: [...membership(network), ...policyOf(network)],
    ...(options.firewall === 'ufw' && facts.guard !== undefined ? { guard: facts.guard } : {}),
  };
}

const gatewayAddresses = (subnets: Network['subnets4']): string[] =>
  realSubnets(subnets).flatMap(subnet => (subnet.gateway === undefined ? [] : [subnet.gateway]));

const sysctls6 = (name: string): Sysctl[] => [
  { path: `net/ipv6/conf/${name}/accept_ra`, value: '0' },
  // Nobody else has the address that the bridge's MAC makes; while it is looked for, two seconds from the first
  // container on, the host has no source to ask for neighbours of what it forwards (ndisc_send_ns).
  { path: `net/ipv6/conf/${name}/accept_dad`, value: '0' },
];

/** Whether containers are to be reached from 127.0.0.1. */
const localnet = ({ internal, ipv4, options }: Network): boolean =>
  !internal && ipv4 && isNat(options.gatewayMode4);

function membership(network: Network): FirewallElement[] {
  const { base, options, internal, ipv4, ipv6 } = network;
  const name = base.link;
  const elements: FirewallElement[] = [
    { set: 'bridges', key: [name] },
    { set: 'same_bridge', key: [name, name] },
  ];
  if (!options.icc) elements.push({ set: 'no_icc', key: [name] });
  if (internal) return [...elements, { set: 'internal', key: [name] }];
  if (localnet(network)) elements.push({ set: 'localnet', key: [name] });
  if (!options.masquerade) return elements;
  if (ipv4 && isNat(options.gatewayMode4)) elements.push({ set: 'masquerade4', key: [name] });
  if (ipv6 && isNat(options.gatewayMode6)) elements.push({ set: 'masquerade6', key: [name] });
  return elements;
}

function forwarding(network: Network, facts: HostFacts): Sysctl[] {
  const sysctls: Sysctl[] = [];
  if (network.ipv4) sysctls.push({ path: 'net/ipv4/ip_forward', value: '1' });
  if (network.ipv6 && facts.ipv6) sysctls.push({ path: 'net/ipv6/conf/all/forwarding', value: '1' });
  return sysctls;
}
