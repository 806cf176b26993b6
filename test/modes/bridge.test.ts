import { describe, expect, it } from 'vitest';
import { endpointMark, networkMark } from '../../src/host-state/mark.ts';
import { containerLinkName, portName } from '../../src/host-state/names.ts';
import { EMPTY, type HostState } from '../../src/host-state/types.ts';
import { bridge } from '../../src/modes/bridge.ts';
import { portMac } from '../../src/modes/mac.ts';
import { endpoint, facts, NETWORK, NO_ADDRESSES, network, SUBNET4, SUBNET6 } from './samples.ts';

const elements = (state: HostState) => state.firewall.map(({ set, key }) => `${set} ${key.join(' ')}`);
const paths = (state: HostState) => state.sysctls.map(({ path, value }) => `${path}=${value}`);

describe('a bridge of its own', () => {
  it('carries the gateway, translates to the outside, forwards', () => {
    expect(bridge.network(network(), facts([]))).toEqual({
      ...EMPTY,
      links: [
        {
          kind: 'bridge',
          name: 'tsb1',
          alias: networkMark(NETWORK),
          mac: '02:42:c6:12:01:01',
          up: true,
          noLinkLocal: true,
        },
      ],
      addresses: [{ link: 'tsb1', address: '198.18.1.1/24' }],
      sysctls: [
        { path: 'net/ipv6/conf/tsb1/accept_ra', value: '0' },
        { path: 'net/ipv6/conf/tsb1/accept_dad', value: '0' },
        { path: 'net/ipv4/conf/tsb1/route_localnet', value: '1' },
        { path: 'net/ipv4/ip_forward', value: '1' },
      ],
      firewall: [
        { set: 'bridges', key: ['tsb1'] },
        { set: 'same_bridge', key: ['tsb1', 'tsb1'] },
        { set: 'localnet', key: ['tsb1'] },
        { set: 'masquerade4', key: ['tsb1'] },
      ],
    });
  });

  it('with IPv6 has its gateway, link-local addresses, and forwards it', () => {
    const state = bridge.network(network({ ipv6: true, subnets6: [SUBNET6] }), facts([]));
    expect(state.links[0]?.noLinkLocal).toBe(false);
    expect(state.addresses.map(a => a.address)).toEqual(['198.18.1.1/24', '2001:db8:1::1/64']);
    expect(paths(state)).toContain('net/ipv6/conf/all/forwarding=1');
    expect(elements(state)).toContain('masquerade6 tsb1');
  });

  it('with IPv6 alone does nothing for IPv4', () => {
    const only6 = network({ ipv4: false, ipv6: true, subnets4: [], subnets6: [SUBNET6] });
    const state = bridge.network(only6, facts([]));
    expect(state.addresses).toEqual([{ link: 'tsb1', address: '2001:db8:1::1/64' }]);
    expect(paths(state)).not.toContain('net/ipv4/ip_forward=1');
    expect(elements(state)).toEqual(['bridges tsb1', 'same_bridge tsb1 tsb1', 'masquerade6 tsb1']);
  });

  it('that is internal has its gateway and neither forwarding nor translation', () => {
    const state = bridge.network(network({ internal: true, ipv6: true, subnets6: [SUBNET6] }), facts([]));
    expect(state.addresses).toHaveLength(2);
    expect(paths(state)).toEqual(['net/ipv6/conf/tsb1/accept_ra=0', 'net/ipv6/conf/tsb1/accept_dad=0']);
    expect(elements(state)).toEqual(['bridges tsb1', 'same_bridge tsb1 tsb1', 'internal tsb1']);
  });

  it('without masquerading forwards untranslated', () => {
    const state = bridge.network(network({ options: { masquerade: false } }), facts([]));
    expect(elements(state)).toEqual(['bridges tsb1', 'same_bridge tsb1 tsb1', 'localnet tsb1']);
    expect(paths(state)).toContain('net/ipv4/ip_forward=1');
  });

  it('without icc says so to the firewall', () => {
    const state = bridge.network(network({ options: { icc: false } }), facts([]));
    expect(elements(state)).toContain('no_icc tsb1');
  });

  it('with the null IPAM driver has no address, and a MAC of its own that stays', () => {
    const none = network({ subnets4: [NO_ADDRESSES] });
    const state = bridge.network(none, facts([]));
    expect(state.addresses).toEqual([]);
    expect(state.links[0]?.mac).toMatch(/^[0-9a-f][26ae](:[0-9a-f]{2}){5}$/);
    expect(bridge.network(none, facts([]))).toEqual(state);
  });

  it('on a host without IPv6 sets no IPv6 sysctl', () => {
    const state = bridge.network(network({ ipv6: true, subnets6: [SUBNET6] }), facts([], false));
    expect(paths(state)).toEqual(['net/ipv4/conf/tsb1/route_localnet=1', 'net/ipv4/ip_forward=1']);
    expect(state.routes).toEqual([]);
  });

  it('has every gateway of several subnets, and an MTU where one is given', () => {
    const second = { pool: '198.18.2.0/24', gateway: '198.18.2.254/24', aux: {} };
    const state = bridge.network(network({ subnets4: [SUBNET4, second], options: { mtu: 1400 } }), facts([]));
    expect(state.addresses.map(a => a.address)).toEqual(['198.18.1.1/24', '198.18.2.254/24']);
    expect(state.links[0]?.mtu).toBe(1400);
  });
});

describe("somebody else's bridge", () => {
  const foreign = network({ base: { kind: 'foreign', link: 'br-lan', type: 'bridge' } });
  const BR_LAN = { name: 'br-lan', mtu: 1500, addresses4: [], addresses6: [] };

  it('is neither made nor shaped', () => {
    expect(bridge.network(foreign, facts([BR_LAN]))).toEqual({
      ...EMPTY,
      firewall: [{ set: 'same_bridge', key: ['br-lan', 'br-lan'] }],
    });
  });

  it("has rules for tsnet's own containers alone", () => {
    const state = bridge.endpoint(foreign, endpoint(foreign), facts([BR_LAN]));
    expect(state.links[0]).toMatchObject({ kind: 'veth', master: 'br-lan' });
    expect(elements(state)).toEqual(['guest4 br-lan 198.18.1.16', 'guest_masquerade4 br-lan 198.18.1.16']);
  });

  it('translates for no container of an internal network', () => {
    const internal = { ...foreign, internal: true };
    expect(elements(bridge.endpoint(internal, endpoint(internal), facts([BR_LAN])))).toEqual([
      'guest4 br-lan 198.18.1.16',
    ]);
  });

  it('that is gone leaves the port without a master', () => {
    const [link] = bridge.endpoint(foreign, endpoint(foreign), facts([])).links;
    expect(link).toMatchObject({ kind: 'veth', name: portName(endpoint(foreign).id) });
    expect(link).not.toHaveProperty('master');
  });
});

describe('an endpoint on a bridge', () => {
  it('is a veth pair: a port, and the end that becomes eth0', () => {
    const of = network({ options: { mtu: 1400 } });
    const on = endpoint(of);
    expect(bridge.endpoint(of, on, facts([])).links).toEqual([
      {
        kind: 'veth',
        name: portName(on.id),
        alias: endpointMark(of.id, on.id),
        mac: portMac(on.id),
        up: true,
        noLinkLocal: true,
        master: 'tsb1',
        isolated: false,
        mtu: 1400,
        peer: { name: containerLinkName(on.id), mac: on.mac, mtu: 1400 },
      },
    ]);
  });

  it('is isolated where icc is off', () => {
    const of = network({ options: { icc: false } });
    expect(bridge.endpoint(of, endpoint(of), facts([])).links[0]).toMatchObject({ isolated: true });
  });

  it('is told its gateways, of the subnet that its address is in', () => {
    const second = { pool: '198.18.2.0/24', gateway: '198.18.2.254/24', aux: {} };
    const of = network({ subnets4: [SUBNET4, second], ipv6: true, subnets6: [SUBNET6] });
    expect(bridge.join(of, endpoint(of, { address4: '198.18.2.7/24' }))).toEqual({
      interfaceName: { srcName: containerLinkName(endpoint(of).id), dstPrefix: 'eth' },
      gateway4: '198.18.2.254',
      gateway6: '2001:db8:1::1',
      staticRoutes: [],
      disableGatewayService: true,
    });
  });

  it.each([
    ['on an internal network', network({ internal: true })],
    ['without addresses', network({ subnets4: [NO_ADDRESSES] })],
    ['in a subnet without one', network({ subnets4: [{ pool: '198.18.1.0/24', aux: {} }] })],
  ])('is told no gateway %s', (_where, of) => {
    const answer = bridge.join(of, endpoint(of));
    expect(answer).not.toHaveProperty('gateway4');
    expect(answer).not.toHaveProperty('gateway6');
    expect(answer.disableGatewayService).toBe(true);
  });

  it('may send frames back where they came from only with published ports', () => {
    const of = network();
    const port = { protocol: 'tcp' as const, port: 80, hostPort: 8080, hostPortEnd: 8080 };
    const [link] = bridge.endpoint(of, endpoint(of, { ports: [port] }), facts([])).links;
    expect(link).toMatchObject({ hairpin: true });
    expect(bridge.endpoint(of, endpoint(of), facts([])).links[0]).not.toHaveProperty('hairpin');
  });
});
