import type { Endpoint, Network } from '../../src/model.ts';

export const NETWORK: Network = {
  id: '84795a'.padEnd(64, '0'),
  name: 'lan',
  lifecycle: 'live',
  options: {
    mode: 'macvlan',
    parent: 'uplink',
    macvlanMode: 'bridge',
    shim: true,
    mtu: 1400,
    icc: true,
    masquerade: true,
    ifacePrefix: 'eth',
    publish: 'both',
    hostBinding: '198.18.0.11',
    gatewayMode4: 'nat',
    gatewayMode6: 'routed',
    isolation: false,
    allowFrom: ['198.18.0.0/24'],
    firewall: 'ufw',
  },
  internal: false,
  ipv4: true,
  ipv6: true,
  subnets4: [{ pool: '198.18.0.0/24', gateway: '198.18.0.1/24', aux: { router: '198.18.0.9' } }],
  subnets6: [{ pool: '2001:db8::/64', aux: {} }],
  base: { kind: 'foreign', link: 'uplink', type: 'parent' },
};

export const ENDPOINT: Endpoint = {
  id: '9fbbbc'.padEnd(64, '0'),
  networkId: NETWORK.id,
  lifecycle: 'live',
  address4: '198.18.0.5/24',
  mac: '02:42:c6:12:00:05',
  macFromEngine: false,
  joined: true,
  sandbox: '/var/run/docker/netns/018eec84ce2d',
  ports: [{ protocol: 'tcp', port: 80, hostIp: '198.18.0.11', hostPort: 8080, hostPortEnd: 8089 }],
  published: [{ protocol: 'tcp', hostAddress: '198.18.0.11', hostPort: 8080, port: 80 }],
};
