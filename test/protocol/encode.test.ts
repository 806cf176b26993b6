import request from 'supertest';
import { describe, expect, it } from 'vitest';
import { encodeAddress, encodeCreateEndpoint, encodeJoin } from '../../src/protocol/encode.ts';
import type { JoinAnswer } from '../../src/protocol/types.ts';
import { ENDPOINT, NETWORK, setUp } from './fake.ts';

const open = { networkId: NETWORK, endpointId: ENDPOINT, ports: [], options: {} };
const joined: JoinAnswer = {
  interfaceName: { srcName: 'ts1', dstPrefix: 'eth' },
  staticRoutes: [],
  disableGatewayService: false,
};

describe('CreateEndpoint', () => {
  it('answers every field that the engine left open', () => {
    const answer = { mac: '02:00:00:00:00:01', address4: '10.0.0.2/24', address6: '2001:db8::2/64' };
    expect(encodeCreateEndpoint(open, answer)).toEqual({
      Interface: { MacAddress: '02:00:00:00:00:01', Address: '10.0.0.2/24', AddressIPv6: '2001:db8::2/64' },
    });
  });

  it('leaves out what the engine set, and what is not known', () => {
    const asked = { ...open, mac: '02:00:00:00:00:01' };
    expect(encodeCreateEndpoint(asked, { mac: '02:00:00:00:00:01' })).toEqual({ Interface: {} });
    expect(encodeCreateEndpoint(open, {})).toEqual({ Interface: {} });
  });

  it('is a defect when the driver changes what the engine set', () => {
    const asked = { ...open, address4: '10.0.0.2/24' };
    expect(() => encodeCreateEndpoint(asked, { address4: '10.0.0.3/24' })).toThrow(
      /^INTERNAL: .*10\.0\.0\.3/,
    );
  });
});

describe('Join', () => {
  it('tells next hops from connected routes', () => {
    const answer = {
      ...joined,
      gateway6: '2001:db8::1',
      staticRoutes: [{ destination: '100.64.0.0/10', nextHop: '10.50.0.1' }, { destination: '0.0.0.0/0' }],
    };
    expect(encodeJoin(answer)).toEqual({
      InterfaceName: { SrcName: 'ts1', DstPrefix: 'eth' },
      GatewayIPv6: '2001:db8::1',
      StaticRoutes: [
        { Destination: '100.64.0.0/10', RouteType: 0, NextHop: '10.50.0.1' },
        { Destination: '0.0.0.0/0', RouteType: 1 },
      ],
      DisableGatewayService: false,
    });
  });

  it('names no link where none is to be moved, and the prefix all the same', () => {
    const answer = { ...joined, interfaceName: { dstPrefix: 'vpn' }, gateway4: '10.0.0.1' };
    expect(encodeJoin(answer)).toEqual({
      InterfaceName: { SrcName: '', DstPrefix: 'vpn' },
      Gateway: '10.0.0.1',
      StaticRoutes: [],
      DisableGatewayService: false,
    });
  });

  it.each<[string, JoinAnswer]>([
    ['an empty destination', { ...joined, staticRoutes: [{ destination: '' }] }],
    [
      'a default route by next hop',
      { ...joined, staticRoutes: [{ destination: '::/0', nextHop: 'fe80::1' }] },
    ],
    ['an empty prefix', { ...joined, interfaceName: { srcName: 'ts1', dstPrefix: '' } }],
    ['an empty prefix of a link that is there already', { ...joined, interfaceName: { dstPrefix: '' } }],
    ['an empty source', { ...joined, interfaceName: { srcName: '', dstPrefix: 'eth' } }],
  ])('never lets out %s', async (_, answer) => {
    const { app, drivers } = setUp();
    drivers.behaviour['join'] = () => answer;
    const body = { NetworkID: NETWORK, EndpointID: ENDPOINT, SandboxKey: '/run/docker/netns/1' };
    const response = await request(app).post('/NetworkDriver.Join').send(JSON.stringify(body));
    expect(response.status).toBe(500);
    expect(response.body.Err).toMatch(/^INTERNAL: /);
  });
});

it('never answers an address without prefix length', () => {
  expect(() => encodeAddress('10.0.0.1')).toThrow(/^INTERNAL: /);
});
