import { describe, it } from 'vitest';
import type { Endpoint, Network } from '../../src/model.ts';
import { desiredHost } from '../../src/modes/desired.ts';
import type { HostFacts } from '../../src/modes/mode.ts';
import { expectGolden } from './golden.ts';
import { endpoint, facts, macvlanNetwork, network, SUBNET4, SUBNET6 } from './samples.ts';

const foreign = (link: string, type: 'bridge' | 'parent') => ({ kind: 'foreign', link, type }) as const;
const BR_LAN = { name: 'br-lan', mtu: 1500, addresses4: [], addresses6: [] };

/** A network with one container on it, as the whole of what tsnet wants of a host. */
const CASES: readonly [name: string, of: Network, on?: HostFacts][] = [
  ['nat-bridge-dual-stack', network({ ipv6: true, subnets6: [SUBNET6] })],
  ['internal-bridge', network({ internal: true })],
  ['icc-off', network({ options: { icc: false } })],
  [
    'foreign-bridge',
    network({ base: foreign('br-lan', 'bridge'), ipv6: true, subnets6: [SUBNET6] }),
    facts([BR_LAN]),
  ],
  ['ipv6-only-bridge', network({ ipv4: false, ipv6: true, subnets4: [], subnets6: [SUBNET6] })],
  [
    'macvlan-dual-stack',
    macvlanNetwork({
      ipv6: true,
      subnets6: [{ pool: '2001:db8::/64', gateway: '2001:db8::1/64', aux: {} }],
    }),
  ],
  [
    'macvlan-numbered-shim',
    macvlanNetwork({
      ipv6: true,
      subnets4: [{ pool: '198.18.0.0/24', aux: { host: '198.18.0.223' } }],
      subnets6: [{ pool: '2001:db8::/64', aux: { host6: '2001:db8::df' } }],
    }),
  ],
  ['macvlan-private', macvlanNetwork({ options: { shim: false, macvlanMode: 'private' } })],
  [
    'macvlan-isolated',
    macvlanNetwork({
      options: { shim: false, mtu: 1400 },
      subnets4: [SUBNET4],
      base: { kind: 'own', link: 'tsd1', type: 'dummy' },
    }),
  ],
];

const TCP80 = { protocol: 'tcp', port: 80, hostPort: 8080, hostPortEnd: 8080 } as const;
const published = (...hostAddresses: string[]): Partial<Endpoint> => ({
  ports: [TCP80],
  published: hostAddresses.map(hostAddress => ({ protocol: 'tcp', hostAddress, hostPort: 8080, port: 80 })),
});
const SANDBOX = { sandbox: '/run/docker/netns/0123456789ab' };
const dual = { ipv6: true, subnets6: [SUBNET6] };
const GUARD = { rules: [{ family: 4, action: 'allow' }], otherwise: { 4: 'deny', 6: 'deny' } } as const;

/** The same with published ports, a feature each. */
const PUBLISHING: readonly [name: string, of: Network, on: Partial<Endpoint>, facts?: HostFacts][] = [
  ['published-dual-stack', network(dual), published('0.0.0.0', '::')],
  ['published-at-address', network(dual), published('127.0.0.1', '2001:db8::5')],
  ['published-relay', network(), published('0.0.0.0', '::')],
  [
    'published-allow-from',
    network({ options: { allowFrom: ['198.18.9.0/24'] } }),
    published('0.0.0.0', '::'),
  ],
  [
    'published-ufw',
    network({ options: { firewall: 'ufw' } }),
    published('0.0.0.0'),
    { ...facts([]), guard: GUARD },
  ],
  [
    'routed',
    network({ ...dual, options: { gatewayMode4: 'routed', gatewayMode6: 'routed' } }),
    { ports: [TCP80] },
  ],
  [
    'nat-unprotected',
    network({ ...dual, options: { gatewayMode4: 'nat-unprotected' } }),
    published('0.0.0.0'),
  ],
  ['gateway-isolated', network({ internal: true, options: { gatewayMode4: 'isolated' } }), {}],
  ['isolation-off', network({ options: { isolation: false } }), {}],
  [
    'published-guest-of-router',
    network({ base: foreign('br-lan', 'bridge') }),
    published('0.0.0.0'),
    facts([{ ...BR_LAN, addresses4: ['198.18.1.11/24'] }]),
  ],
  ['macvlan-own-ports', macvlanNetwork(), { ...published(), ...SANDBOX }],
  [
    'macvlan-published-on-both',
    macvlanNetwork({ options: { publish: 'both' } }),
    { ...published('0.0.0.0'), ...SANDBOX },
  ],
];

describe('the desired state with published ports', () => {
  it.each(PUBLISHING)('%s', (name, of, on, host = facts()) => {
    expectGolden(
      desiredHost([of], () => [endpoint(of, on)], host),
      name,
    );
  });
});

describe('the desired state of a network with one container', () => {
  it.each(CASES)('%s', (name, of, on = facts()) => {
    expectGolden(
      desiredHost([of], () => [endpoint(of)], on),
      name,
    );
  });
});
