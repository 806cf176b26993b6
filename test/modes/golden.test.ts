import { describe, it } from 'vitest';
import type { Network } from '../../src/model.ts';
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

describe('the desired state of a network with one container', () => {
  it.each(CASES)('%s', (name, of, on = facts()) => {
    expectGolden(
      desiredHost([of], () => [endpoint(of)], on),
      name,
    );
  });
});
