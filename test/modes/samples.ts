import type { Endpoint, Network, NetworkOptions, Subnet } from '../../src/model.ts';
import type { HostFacts, ParentFacts } from '../../src/modes/mode.ts';

export const NETWORK = 'a'.repeat(64);
export const ENDPOINT = 'e'.repeat(64);

const OPTIONS: NetworkOptions = {
  mode: 'bridge',
  macvlanMode: 'bridge',
  shim: false,
  mtu: 0,
  icc: true,
  masquerade: true,
  ifacePrefix: 'eth',
  publish: 'self',
  gatewayMode4: 'nat',
  gatewayMode6: 'nat',
  isolation: true,
  allowFrom: [],
  firewall: 'own',
  attach: 'auto',
  announceCount: 3,
  announceMs: 1000,
};

export const SUBNET4: Subnet = { pool: '198.18.1.0/24', gateway: '198.18.1.1/24', aux: {} };
export const SUBNET6: Subnet = { pool: '2001:db8:1::/64', gateway: '2001:db8:1::1/64', aux: {} };
/** What the null IPAM driver gives. */
export const NO_ADDRESSES: Subnet = { pool: '0.0.0.0/0', aux: {} };

type Changes = Partial<Omit<Network, 'options'>> & { readonly options?: Partial<NetworkOptions> };

/** A NAT bridge with IPv4, changed as told. */
export function network({ options, ...changes }: Changes = {}): Network {
  return {
    id: NETWORK,
    lifecycle: 'live',
    internal: false,
    ipv4: true,
    ipv6: false,
    subnets4: [SUBNET4],
    subnets6: [],
    base: { kind: 'own', link: 'tsb1', type: 'bridge' },
    ...changes,
    options: { ...OPTIONS, ...options },
  };
}

/** A macvlan network on eth0 with a shim, IPv4, changed as told. */
export const macvlanNetwork = ({ options, ...changes }: Changes = {}): Network =>
  network({
    base: { kind: 'foreign', link: 'eth0', type: 'parent' },
    subnets4: [{ pool: '198.18.0.0/24', gateway: '198.18.0.1/24', aux: {} }],
    ...changes,
    options: { mode: 'macvlan', parent: 'eth0', shim: true, ...options },
  });

/** A joined endpoint of a network, .16 of each of its subnets. */
export function endpoint(of: Network, changes: Partial<Endpoint> = {}): Endpoint {
  const [subnet4] = of.subnets4;
  const [subnet6] = of.subnets6;
  return {
    id: ENDPOINT,
    networkId: of.id,
    lifecycle: 'live',
    ...(subnet4 === undefined ? {} : { address4: subnet4.pool.replace('.0/', '.16/') }),
    ...(subnet6 === undefined ? {} : { address6: subnet6.pool.replace('::/', '::10/') }),
    mac: '02:42:c6:12:01:10',
    macFromEngine: false,
    joined: true,
    ports: [],
    published: [],
    ...changes,
  };
}

export const ETH0: ParentFacts = {
  name: 'eth0',
  mtu: 1500,
  mac: '02:11:22:33:44:55',
  addresses4: ['198.18.7.5/24', '198.18.0.5/24'],
  addresses6: ['2001:db8::5/64'],
};

export const facts = (parents: readonly ParentFacts[] = [ETH0], ipv6 = true): HostFacts => ({
  ipv6,
  parents: new Map(parents.map(parent => [parent.name, parent])),
});
