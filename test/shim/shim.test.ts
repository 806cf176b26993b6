import { describe, expect, it } from 'vitest';
import { shimMark } from '../../src/host-state/mark.ts';
import { shimName } from '../../src/host-state/names.ts';
import { EMPTY, type HostState } from '../../src/host-state/types.ts';
import { stableMac } from '../../src/modes/mac.ts';
import { hostSource, shimOfEndpoint, shimOfNetwork } from '../../src/shim/shim.ts';
import { ETH0, endpoint, facts, macvlanNetwork } from '../modes/samples.ts';

const SHIM = shimName('eth0');
const POOL4 = '198.18.0.0/24';
const POOL6 = '2001:db8::/64';
const of = (aux4: Record<string, string> = {}, aux6?: Record<string, string>) =>
  macvlanNetwork({
    subnets4: [{ pool: POOL4, aux: aux4 }],
    ipv6: aux6 !== undefined,
    subnets6: aux6 === undefined ? [] : [{ pool: POOL6, aux: aux6 }],
  });

const settings = (state: HostState) => state.sysctls.map(({ path, value }) => `${path}=${value}`);

describe('the shim of a network', () => {
  it('is unnumbered unless told, and keeps LAN peers away', () => {
    expect(shimOfNetwork(of(), facts([ETH0], false))).toEqual({
      ...EMPTY,
      links: [
        {
          kind: 'macvlan',
          name: SHIM,
          alias: shimMark('eth0'),
          parent: 'eth0',
          macvlanMode: 'bridge',
          mac: stableMac('shim', 'eth0', '02:11:22:33:44:55'),
          noLinkLocal: true,
          up: true,
        },
      ],
      sysctls: [
        { path: `net/ipv4/conf/${SHIM}/arp_filter`, value: '1' },
        { path: `net/ipv4/conf/${SHIM}/arp_announce`, value: '2' },
        { path: `net/ipv4/conf/${SHIM}/rp_filter`, value: '0' },
      ],
    });
  });

  it.each([
    ['host', '198.18.0.223', '198.18.0.223/32'],
    ['host', '198.18.0.223/24', '198.18.0.223/32'],
    ['host4', '198.18.0.223', '198.18.0.223/32'],
  ])('is numbered by --aux-address %s=%s', (name, given, address) => {
    expect(shimOfNetwork(of({ [name]: given }), facts()).addresses).toEqual([
      { link: SHIM, address, noPrefixRoute: true },
    ]);
  });

  it.each(['host', 'host6'])('is numbered with IPv6 by --aux-address %s', name => {
    expect(shimOfNetwork(of({}, { [name]: '2001:db8::df' }), facts()).addresses).toEqual([
      { link: SHIM, address: '2001:db8::df/128', noPrefixRoute: true },
    ]);
  });

  it('is not numbered by other aux addresses', () => {
    expect(shimOfNetwork(of({ router: '198.18.0.9', host6: '198.18.0.8' }), facts()).addresses).toEqual([]);
  });

  it("answers with IPv6 for the host's addresses as a proxy", () => {
    const state = shimOfNetwork(of({}, {}), facts());
    expect(state.neighbours).toEqual([{ link: SHIM, address: '2001:db8::5', entry: 'proxy' }]);
    expect(settings(state).slice(3)).toEqual([
      `net/ipv6/conf/${SHIM}/accept_ra=0`,
      `net/ipv6/conf/${SHIM}/forwarding=1`,
      `net/ipv6/conf/${SHIM}/proxy_ndp=1`,
      `net/ipv6/neigh/${SHIM}/proxy_delay=0`,
    ]);
    expect(state.addresses).toEqual([]);
  });

  // The kernel has IPv6 on every link, whatever the network is: without this a router's advertisement on the LAN gives
  // the host a second default route, and an address, on the shim.
  it('of IPv4 alone takes no router advertisements either', () => {
    expect(settings(shimOfNetwork(of(), facts()))).toContain(`net/ipv6/conf/${SHIM}/accept_ra=0`);
  });

  it('does without IPv6 on a host that has none', () => {
    const state = shimOfNetwork(of({}, { host: '2001:db8::df' }), facts([ETH0], false));
    expect(state).toEqual(shimOfNetwork(of(), facts([ETH0], false)));
  });

  it('is nothing while the parent is missing', () => {
    expect(shimOfNetwork(of(), facts([]))).toEqual(EMPTY);
    expect(shimOfEndpoint(of(), endpoint(of()), facts([]))).toEqual(EMPTY);
  });

  it('has the same MAC after a restart, and another on another parent', () => {
    const mac = (parent: Partial<typeof ETH0>) =>
      shimOfNetwork(of(), facts([{ ...ETH0, ...parent }])).links[0]?.mac;
    expect(mac({})).toBe(mac({ addresses4: [], mtu: 9000 }));
    expect(mac({})).not.toBe(mac({ mac: '02:11:22:33:44:56' }));
  });
});

describe('the way to a container', () => {
  it('is a route and a permanent neighbour for each of its addresses', () => {
    const on = endpoint(of({}, {}));
    expect(shimOfEndpoint(of({}, {}), on, facts())).toEqual({
      ...EMPTY,
      routes: [
        { link: SHIM, destination: '198.18.0.16/32', source: '198.18.0.5' },
        { link: SHIM, destination: '2001:db8::10/128', source: '2001:db8::5' },
      ],
      neighbours: [
        { link: SHIM, address: '198.18.0.16', entry: { mac: on.mac } },
        { link: SHIM, address: '2001:db8::10', entry: { mac: on.mac } },
      ],
    });
  });

  it('leaves IPv6 out on a host without it', () => {
    const state = shimOfEndpoint(of({}, {}), endpoint(of({}, {})), facts([ETH0], false));
    expect(state.routes.map(r => r.destination)).toEqual(['198.18.0.16/32']);
  });

  it('does not exist where the host has no address of that family', () => {
    const bare = facts([{ ...ETH0, addresses4: [] }]);
    const state = shimOfEndpoint(of({}, {}), endpoint(of({}, {})), bare);
    expect(state.routes.map(r => r.destination)).toEqual(['2001:db8::10/128']);
    expect(state.neighbours.map(n => n.address)).toEqual(['2001:db8::10']);
  });

  it('is nothing for a container without addresses', () => {
    const { address4: _address, ...on } = endpoint(of());
    expect(shimOfEndpoint(of(), on, facts())).toEqual(EMPTY);
  });
});

describe("the host's address towards a container", () => {
  it.each([
    ["the shim's own in the subnet", of({ host: '198.18.0.223/24' }), ETH0, '198.18.0.223'],
    ["the parent's in the subnet", of(), ETH0, '198.18.0.5'],
    ['any of the parent', of(), { ...ETH0, addresses4: ['198.18.7.5/24'] }, '198.18.7.5'],
    ['none', of(), { ...ETH0, addresses4: [] }, undefined],
    [
      "the shim's own also without one on the parent",
      of({ host: '198.18.0.223' }),
      { ...ETH0, addresses4: [] },
      '198.18.0.223',
    ],
  ])('is %s', (_which, network, parent, source) => {
    expect(hostSource(network, parent, '198.18.0.16')).toBe(source);
  });

  it('is of the family of the container', () => {
    expect(hostSource(of({ host: '198.18.0.223' }, {}), ETH0, '2001:db8::10')).toBe('2001:db8::5');
  });
});
