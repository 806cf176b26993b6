import { describe, expect, it } from 'vitest';
import type { Endpoint, NetworkOptions, PortRequest } from '../../src/model.ts';
import { targetOf, wantedPorts } from '../../src/publish/wanted.ts';
import { endpoint, macvlanNetwork, network, SUBNET6 } from '../modes/samples.ts';

const request = (changes: Partial<PortRequest> = {}): PortRequest => ({
  protocol: 'tcp',
  port: 80,
  hostPort: 8080,
  hostPortEnd: 8080,
  ...changes,
});
const DUAL = { ipv6: true, subnets6: [SUBNET6] };

/** The host addresses that one request is to be published on. */
const addresses = (
  of: ReturnType<typeof network>,
  asked: Partial<PortRequest> = {},
  { relay = true, on = {} }: { relay?: boolean; on?: Partial<Endpoint> } = {},
) => wantedPorts(of, endpoint(of, { ports: [request(asked)], ...on }), relay).flatMap(want => want.addresses);

describe('a port without a host address', () => {
  it('is published on every address of both families', () => {
    expect(addresses(network(DUAL))).toEqual(['0.0.0.0', '::']);
  });

  it('is relayed from IPv6 to a container that has IPv4 only, unless another network is its way to IPv6', () => {
    expect(addresses(network())).toEqual(['0.0.0.0', '::']);
    expect(addresses(network(), {}, { relay: false })).toEqual(['0.0.0.0']);
    expect(addresses(network(), { protocol: 'sctp' })).toEqual(['0.0.0.0']);
  });

  it('is published on IPv6 alone where the container has nothing else', () => {
    const only6 = network({ ...DUAL, ipv4: false, subnets4: [] });
    expect(addresses(only6)).toEqual(['::']);
  });

  it('goes to the host binding of the network', () => {
    const options = (hostBinding: string): Partial<NetworkOptions> => ({ hostBinding });
    expect(addresses(network({ ...DUAL, options: options('198.18.0.11') }))).toEqual(['198.18.0.11']);
    expect(addresses(network({ ...DUAL, options: options('0.0.0.0') }))).toEqual(['0.0.0.0', '::']);
    expect(addresses(network({ ...DUAL, options: options('198.18.0.11') }), { hostIp: '127.0.0.1' })).toEqual(
      ['127.0.0.1'],
    );
  });
});

describe('a port with a host address', () => {
  it.each(['0.0.0.0', '::', '127.0.0.1', '198.18.0.11', '::1', '2001:db8::11'])(
    'is published there: %s',
    hostIp => {
      expect(addresses(network(DUAL), { hostIp })).toEqual([hostIp]);
    },
  );

  it('of IPv4 is not published for a container without IPv4', () => {
    const only6 = network({ ...DUAL, ipv4: false, subnets4: [] });
    expect(addresses(only6, { hostIp: '127.0.0.1' })).toEqual([]);
  });
});

describe('no port of the host is wanted', () => {
  it.each([
    ['on an internal network', network({ ...DUAL, internal: true })],
    ['on a LAN unless the user says so', macvlanNetwork()],
    [
      'where nothing is translated',
      network({ ...DUAL, options: { gatewayMode4: 'routed', gatewayMode6: 'routed' } }),
    ],
  ])('%s', (_where, of) => {
    expect(addresses(of)).toEqual([]);
  });

  it('of the family that is routed', () => {
    expect(addresses(network({ ...DUAL, options: { gatewayMode4: 'routed' } }))).toEqual(['::']);
    expect(addresses(network({ ...DUAL, options: { gatewayMode6: 'routed' } }))).toEqual(['0.0.0.0']);
    expect(addresses(network({ options: { gatewayMode4: 'routed' } }))).toEqual([]);
  });
});

it.each(['host', 'both'] as const)('on a LAN with publish=%s the host has it', publish => {
  expect(addresses(macvlanNetwork({ options: { publish } }))).toEqual(['0.0.0.0', '::']);
});

it('a range is handed on as one', () => {
  const of = network();
  const on = endpoint(of, { ports: [request({ protocol: 'udp', hostPort: 7000, hostPortEnd: 7009 })] });
  expect(wantedPorts(of, on, false)).toEqual([
    { protocol: 'udp', port: 80, addresses: ['0.0.0.0'], first: 7000, last: 7009 },
  ]);
});

it('leads to the address of the same family, or from IPv6 to IPv4 where there is no other', () => {
  const both = endpoint(network(DUAL));
  expect(targetOf(both, '0.0.0.0')).toBe('198.18.1.16');
  expect(targetOf(both, '::')).toBe('2001:db8:1::10');
  expect(targetOf(endpoint(network()), '::1')).toBe('198.18.1.16');
});
