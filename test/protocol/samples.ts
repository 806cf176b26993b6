import { ENDPOINT, NETWORK, SWARM_NETWORK } from './fake.ts';

/** A request as an engine sends it. `engine` says which; `decoded` is what the driver gets. */
export interface Sample {
  readonly name: string;
  readonly path: string;
  readonly body: unknown;
  readonly driverMethod?: string;
  readonly decoded?: readonly unknown[];
  readonly answer: unknown;
}

const ref = { NetworkID: NETWORK, EndpointID: ENDPOINT };
const decodedRef = { networkId: NETWORK, endpointId: ENDPOINT };

const portOptions = {
  'com.docker.network.endpoint.exposedports': [
    { Proto: 6, Port: 80 },
    { Proto: 17, Port: 90 },
  ],
  'com.docker.network.portmap': [
    { Proto: 6, IP: '', Port: 80, HostIP: '', HostPort: 8080, HostPortEnd: 8080 },
    { Proto: 17, IP: '', Port: 90, HostIP: '127.0.0.1', HostPort: 9000, HostPortEnd: 9001 },
    { Proto: 6, IP: '', Port: 81, HostIP: '::1', HostPort: 0, HostPortEnd: 0 },
  ],
};
const decodedPorts = [
  { protocol: 'tcp', port: 80, hostPort: 8080, hostPortEnd: 8080 },
  { protocol: 'udp', port: 90, hostIp: '127.0.0.1', hostPort: 9000, hostPortEnd: 9001 },
  { protocol: 'tcp', port: 81, hostIp: '::1', hostPort: 0, hostPortEnd: 0 },
];

const takeBacks: readonly Sample[] = [
  ['Leave', 'leave'],
  ['DeleteEndpoint', 'deleteEndpoint'],
  ['RevokeExternalConnectivity', 'revoke'],
].map(([method, driverMethod = '']) => ({
  name: `${method}`,
  path: `/NetworkDriver.${method}`,
  body: ref,
  driverMethod,
  decoded: [decodedRef],
  answer: {},
}));

export const SAMPLES: readonly Sample[] = [
  {
    name: 'GwAllocCheck (28 and later)',
    path: '/NetworkDriver.GwAllocCheck',
    body: {
      Options: {
        'com.docker.network.enable_ipv4': true,
        'com.docker.network.enable_ipv6': false,
        'com.docker.network.generic': { k: 'v' },
      },
    },
    driverMethod: 'gwAllocCheck',
    decoded: [{ ipv4: true, ipv6: false, internal: false, generic: { k: 'v' } }],
    answer: { SkipIPv4: true, SkipIPv6: false },
  },
  {
    name: 'CreateNetwork (28)',
    path: '/NetworkDriver.CreateNetwork',
    body: {
      NetworkID: NETWORK,
      Options: {
        'com.docker.network.enable_ipv4': true,
        'com.docker.network.enable_ipv6': false,
        'com.docker.network.internal': true,
        'com.docker.network.generic': { foo: 'bar', 'com.docker.network.driver.mtu': '1380' },
      },
      IPv4Data: [
        {
          AddressSpace: 'LocalDefault',
          AuxAddresses: { x: '10.72.0.9/24' },
          Gateway: '10.72.0.1/24',
          Pool: '10.72.0.0/24',
        },
      ],
      IPv6Data: [],
    },
    driverMethod: 'createNetwork',
    decoded: [
      {
        networkId: NETWORK,
        ipv4: true,
        ipv6: false,
        internal: true,
        generic: { foo: 'bar', 'com.docker.network.driver.mtu': '1380' },
        ipv4Data: [
          {
            addressSpace: 'LocalDefault',
            pool: '10.72.0.0/24',
            gateway: '10.72.0.1/24',
            aux: { x: '10.72.0.9/24' },
          },
        ],
        ipv6Data: [],
      },
    ],
    answer: {},
  },
  {
    name: 'CreateNetwork (20.10, with IPv6 and an aux address outside of ip-range)',
    path: '/NetworkDriver.CreateNetwork',
    body: {
      NetworkID: NETWORK,
      Options: {
        'com.docker.network.enable_ipv6': true,
        'com.docker.network.generic': {},
      },
      IPv4Data: [
        {
          AddressSpace: 'LocalDefault',
          AuxAddresses: { out: '<nil>', in: '10.72.0.9' },
          Gateway: '10.72.0.1/24',
          Pool: '10.72.0.0/24',
        },
      ],
      IPv6Data: [{ AddressSpace: 'LocalDefault', Gateway: '2001:DB8:0::1/64', Pool: '2001:db8:0:0::/64' }],
    },
    driverMethod: 'createNetwork',
    decoded: [
      {
        networkId: NETWORK,
        ipv4: true,
        ipv6: true,
        internal: false,
        generic: {},
        ipv4Data: [
          {
            addressSpace: 'LocalDefault',
            pool: '10.72.0.0/24',
            gateway: '10.72.0.1/24',
            aux: { in: '10.72.0.9' },
          },
        ],
        ipv6Data: [
          { addressSpace: 'LocalDefault', pool: '2001:db8::/64', gateway: '2001:db8::1/64', aux: {} },
        ],
      },
    ],
    answer: {},
  },
  {
    name: 'CreateNetwork (29, IPv6 only, gateway skipped, swarm id)',
    path: '/NetworkDriver.CreateNetwork',
    body: {
      NetworkID: SWARM_NETWORK,
      Options: {
        'com.docker.network.enable_ipv4': false,
        'com.docker.network.enable_ipv6': true,
        'com.docker.network.internal': false,
        'com.docker.network.generic': { mode: 'macvlan' },
      },
      IPv4Data: [],
      IPv6Data: [{ AddressSpace: 'LocalDefault', AuxAddresses: {}, Pool: '2001:db8:1::/64' }],
    },
    driverMethod: 'createNetwork',
    decoded: [
      {
        networkId: SWARM_NETWORK,
        ipv4: false,
        ipv6: true,
        internal: false,
        generic: { mode: 'macvlan' },
        ipv4Data: [],
        ipv6Data: [{ addressSpace: 'LocalDefault', pool: '2001:db8:1::/64', aux: {} }],
      },
    ],
    answer: {},
  },
  {
    name: 'CreateNetwork (null IPAM, nulls where Go has nil)',
    path: '/NetworkDriver.CreateNetwork',
    body: {
      NetworkID: NETWORK,
      Options: null,
      IPv4Data: [{ AddressSpace: 'null', Pool: '0.0.0.0/0', Gateway: '', AuxAddresses: null }],
      IPv6Data: null,
    },
    driverMethod: 'createNetwork',
    decoded: [
      {
        networkId: NETWORK,
        ipv4: true,
        ipv6: false,
        internal: false,
        generic: {},
        ipv4Data: [{ addressSpace: 'null', pool: '0.0.0.0/0', aux: {} }],
        ipv6Data: [],
      },
    ],
    answer: {},
  },
  {
    name: 'DeleteNetwork',
    path: '/NetworkDriver.DeleteNetwork',
    body: { NetworkID: NETWORK },
    driverMethod: 'deleteNetwork',
    decoded: [NETWORK],
    answer: {},
  },
  {
    name: 'CreateEndpoint (29, with driver options)',
    path: '/NetworkDriver.CreateEndpoint',
    body: {
      ...ref,
      Interface: { Address: '10.50.0.2/24', AddressIPv6: '', MacAddress: '' },
      Options: {
        ...portOptions,
        'com.docker.network.endpoint.dnsservers': ['192.0.2.53'],
        'com.docker.network.endpoint.ifname': 'vpn0',
        'com.docker.network.endpoint.sysctls': 'net.ipv4.conf.ifname.log_martians=1',
        k: 'v',
      },
    },
    driverMethod: 'createEndpoint',
    decoded: [
      {
        ...decodedRef,
        address4: '10.50.0.2/24',
        ports: decodedPorts,
        options: {
          'com.docker.network.endpoint.ifname': 'vpn0',
          'com.docker.network.endpoint.sysctls': 'net.ipv4.conf.ifname.log_martians=1',
          k: 'v',
        },
      },
    ],
    answer: { Interface: { MacAddress: '02:42:0a:32:00:02' } },
  },
  {
    name: 'CreateEndpoint (20.10, with --mac-address, on an internal network)',
    path: '/NetworkDriver.CreateEndpoint',
    body: {
      ...ref,
      Interface: { Address: '10.50.0.2/24', AddressIPv6: '2001:DB8::2/64', MacAddress: '02:42:0A:32:00:02' },
      Options: { 'com.docker.network.endpoint.macaddress': 'AhEiM0RV' },
    },
    driverMethod: 'createEndpoint',
    decoded: [
      {
        ...decodedRef,
        address4: '10.50.0.2/24',
        address6: '2001:db8::2/64',
        mac: '02:42:0a:32:00:02',
        ports: [],
        options: {},
      },
    ],
    answer: { Interface: {} },
  },
  {
    name: 'CreateEndpoint (nothing but ids)',
    path: '/NetworkDriver.CreateEndpoint',
    body: { ...ref, Interface: null, Options: null, Future: [1] },
    driverMethod: 'createEndpoint',
    decoded: [{ ...decodedRef, ports: [], options: {} }],
    answer: { Interface: { MacAddress: '02:42:0a:32:00:02' } },
  },
  {
    name: 'EndpointOperInfo',
    path: '/NetworkDriver.EndpointOperInfo',
    body: ref,
    driverMethod: 'operInfo',
    decoded: [decodedRef],
    answer: { Value: { link: 'ts9fbbbc' } },
  },
  {
    name: 'Join',
    path: '/NetworkDriver.Join',
    body: { ...ref, SandboxKey: '/var/run/docker/netns/018eec84ce2d', Options: portOptions },
    driverMethod: 'join',
    decoded: [{ ...decodedRef, sandbox: '/var/run/docker/netns/018eec84ce2d', ports: decodedPorts }],
    answer: {
      InterfaceName: { SrcName: 'ts9fbbbc', DstPrefix: 'eth' },
      Gateway: '10.50.0.1',
      StaticRoutes: [{ Destination: '169.254.1.1/32', RouteType: 1 }],
      DisableGatewayService: true,
    },
  },
  ...takeBacks,
  {
    name: 'ProgramExternalConnectivity (28)',
    path: '/NetworkDriver.ProgramExternalConnectivity',
    body: {
      ...ref,
      Options: { ...portOptions, 'com.docker.network.driver.private.no_proxy_6to4': true },
    },
    driverMethod: 'program',
    decoded: [{ ...decodedRef, ports: decodedPorts, noRelay: true }],
    answer: {},
  },
  {
    name: 'DiscoverNew',
    path: '/NetworkDriver.DiscoverNew',
    body: {
      DiscoveryType: 1,
      DiscoveryData: { Address: '192.0.2.5', BindAddress: '192.0.2.5', Self: true },
    },
    answer: {},
  },
  {
    name: 'DiscoverDelete',
    path: '/NetworkDriver.DiscoverDelete',
    body: { DiscoveryType: 1, DiscoveryData: { Address: '192.0.2.5', Self: false } },
    answer: {},
  },
  {
    name: 'AllocateNetwork',
    path: '/NetworkDriver.AllocateNetwork',
    body: {
      NetworkID: SWARM_NETWORK,
      Options: { foo: 'bar' },
      IPv4Data: [{ AddressSpace: '', Gateway: '10.92.0.1/24', Pool: '10.92.0.0/24' }],
      IPv6Data: null,
    },
    answer: { Options: { foo: 'bar' } },
  },
  {
    name: 'FreeNetwork',
    path: '/NetworkDriver.FreeNetwork',
    body: { NetworkID: SWARM_NETWORK },
    answer: {},
  },
  {
    name: 'RequestPool (explicit)',
    path: '/IpamDriver.RequestPool',
    body: {
      AddressSpace: 'tsnet-local',
      Pool: '10.72.0.0/24',
      SubPool: '10.72.0.128/25',
      Options: { o: '1' },
      V6: false,
    },
    driverMethod: 'requestPool',
    decoded: [
      {
        addressSpace: 'tsnet-local',
        pool: '10.72.0.0/24',
        subPool: '10.72.0.128/25',
        options: { o: '1' },
        v6: false,
      },
    ],
    answer: { PoolID: 'tsnet-local/10.72.0.0/24', Pool: '10.72.0.0/24', Data: { k: 'v' } },
  },
  {
    name: 'RequestPool (to be chosen)',
    path: '/IpamDriver.RequestPool',
    body: { AddressSpace: 'tsnet-local', Pool: '', SubPool: '', Options: null, V6: true },
    driverMethod: 'requestPool',
    decoded: [{ addressSpace: 'tsnet-local', options: {}, v6: true }],
    answer: { PoolID: 'tsnet-local/10.72.0.0/24', Pool: '10.72.0.0/24', Data: { k: 'v' } },
  },
  {
    name: 'ReleasePool',
    path: '/IpamDriver.ReleasePool',
    body: { PoolID: 'tsnet-local/10.72.0.0/24' },
    driverMethod: 'releasePool',
    decoded: ['tsnet-local/10.72.0.0/24'],
    answer: {},
  },
  {
    name: 'RequestAddress (28: any)',
    path: '/IpamDriver.RequestAddress',
    body: { PoolID: 'tsnet-local/10.72.0.0/24', Address: '', Options: null },
    driverMethod: 'requestAddress',
    decoded: [{ poolId: 'tsnet-local/10.72.0.0/24', gateway: false, options: {} }],
    answer: { Address: '10.72.0.9/24', Data: {} },
  },
  {
    name: 'RequestAddress (29: the endpoint has a name)',
    path: '/IpamDriver.RequestAddress',
    body: {
      PoolID: 'tsnet-local/10.72.0.0/24',
      Address: '10.72.0.9',
      Options: { 'com.docker.network.endpoint.name': 'web' },
    },
    driverMethod: 'requestAddress',
    decoded: [
      {
        poolId: 'tsnet-local/10.72.0.0/24',
        address: '10.72.0.9',
        gateway: false,
        endpointName: 'web',
        options: { 'com.docker.network.endpoint.name': 'web' },
      },
    ],
    answer: { Address: '10.72.0.9/24', Data: {} },
  },
  {
    name: 'RequestAddress (gateway)',
    path: '/IpamDriver.RequestAddress',
    body: {
      PoolID: 'tsnet-local/10.72.0.0/24',
      Address: '10.72.0.1',
      Options: { RequestAddressType: 'com.docker.network.gateway' },
    },
    driverMethod: 'requestAddress',
    decoded: [
      {
        poolId: 'tsnet-local/10.72.0.0/24',
        address: '10.72.0.1',
        gateway: true,
        options: { RequestAddressType: 'com.docker.network.gateway' },
      },
    ],
    answer: { Address: '10.72.0.9/24', Data: {} },
  },
  {
    name: 'ReleaseAddress',
    path: '/IpamDriver.ReleaseAddress',
    body: { PoolID: 'tsnet-local/10.72.0.0/24', Address: '2001:DB8::0:11' },
    driverMethod: 'releaseAddress',
    decoded: ['tsnet-local/10.72.0.0/24', '2001:db8::11'],
    answer: {},
  },
];

export const BARE: readonly { readonly path: string; readonly answer: unknown }[] = [
  { path: '/Plugin.Activate', answer: { Implements: ['NetworkDriver', 'IpamDriver'] } },
  {
    path: '/NetworkDriver.GetCapabilities',
    answer: { Scope: 'local', ConnectivityScope: 'global', GwAllocChecker: true },
  },
  {
    path: '/IpamDriver.GetCapabilities',
    answer: { RequiresMACAddress: false, RequiresRequestReplay: true },
  },
  {
    path: '/IpamDriver.GetDefaultAddressSpaces',
    answer: { LocalDefaultAddressSpace: 'tsnet-local', GlobalDefaultAddressSpace: 'tsnet-global' },
  },
];
