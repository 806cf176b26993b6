import { describe, expect, it } from 'vitest';
import { diff } from '../../src/host-state/diff.ts';
import { describe as inWords } from '../../src/host-state/ops.ts';
import { EMPTY, type HostState, type Link } from '../../src/host-state/types.ts';

const words = (to: Partial<HostState>, from: Partial<HostState>) =>
  diff({ ...EMPTY, ...to }, { ...EMPTY, ...from }).map(inWords);

const dummy: Link = { kind: 'dummy', name: 'tsd1', alias: 'tsnet:1', up: true };
const bridge: Link = { kind: 'bridge', name: 'tsb1', alias: 'tsnet:1', up: true };
const child: Link = {
  kind: 'macvlan',
  name: 'tss1',
  alias: 'tsnet:shim:tsd1',
  parent: 'tsd1',
  macvlanMode: 'bridge',
  up: true,
};
const port: Link = {
  kind: 'veth',
  name: 'tsv1',
  alias: 'tsnet:1:e',
  up: true,
  master: 'tsb1',
  isolated: true,
  peer: { name: 'tsc1' },
};
const onChild = {
  addresses: [{ link: 'tss1', address: '198.18.0.1/32' }],
  routes: [{ link: 'tss1', destination: '198.18.0.9/32' }],
  neighbours: [{ link: 'tss1', address: '198.18.0.9', entry: { mac: '02:00:00:00:00:09' } }],
  sysctls: [{ path: 'net/ipv6/conf/tss1/accept_ra', value: '0' }],
};

describe('a remade link', () => {
  it('takes along its macvlan children and what sits on them', () => {
    const wanted = { links: [dummy, child], ...onChild };
    expect(words(wanted, { ...wanted, links: [{ ...dummy, alias: 'tsnet:old' }, child] })).toEqual([
      '-link tsd1',
      '+link tsd1 (dummy)',
      '+link tss1 (macvlan)',
      '~sysctl net/ipv6/conf/tss1/accept_ra=0',
      '~link tss1 up=true',
      '+address 198.18.0.1/32 dev tss1',
      '+neighbour 198.18.0.9 dev tss1',
      '+route 198.18.0.9/32 dev tss1',
    ]);
  });

  it('gets its ports back, isolated as they were', () => {
    const broken = { links: [{ ...bridge, alias: 'tsnet:old' }, port] };
    expect(words({ links: [bridge, port] }, broken)).toEqual([
      '-link tsb1',
      '+link tsb1 (bridge)',
      '~link tsv1 master=tsb1 isolated=true',
    ]);
  });
});

describe('a removed link', () => {
  it('is one step, for the kernel takes along what sits on it', () => {
    expect(words({ links: [dummy] }, { links: [dummy, child], ...onChild })).toEqual(['-link tss1']);
  });
});

describe('an existing link', () => {
  it.each([
    ['brought up', { up: false }, 'up=true'],
    ['given its MTU', { mtu: 1400 }, 'mtu=1500'],
    ['given its MAC', { mac: '02:00:00:00:00:01' }, 'mac=02:00:00:00:00:02'],
  ])('is %s in place', (_what, there, change) => {
    const wanted: Link = { ...bridge, mtu: 1500, mac: '02:00:00:00:00:02' };
    expect(words({ links: [wanted] }, { links: [{ ...wanted, ...there }] })).toEqual([
      `~link tsb1 ${change}`,
    ]);
  });

  it('keeps an MTU and a MAC that nothing is said about', () => {
    expect(
      words({ links: [bridge] }, { links: [{ ...bridge, mtu: 9000, mac: '02:00:00:00:00:07' }] }),
    ).toEqual([]);
  });

  it('that is a macvlan keeps the MAC it was born with, for its neighbours hold it', () => {
    const born = { ...child, mac: '02:00:00:00:00:07' };
    const links = [dummy, { ...child, mac: '02:00:00:00:00:08' }];
    expect(words({ links }, { links: [dummy, born] })).toEqual([]);
  });

  it('leaves a bridge that it is no longer wanted in', () => {
    const { master: _master, isolated: _isolated, ...free } = port as Extract<Link, { kind: 'veth' }>;
    expect(words({ links: [bridge, free] }, { links: [bridge, port] })).toEqual(['~link tsv1 master=null']);
  });

  it('is remade where the macvlan mode differs, for the kernel does not change it in place', () => {
    expect(
      words({ links: [dummy, child] }, { links: [dummy, { ...child, macvlanMode: 'private' }] }),
    ).toEqual(['-link tss1', '+link tss1 (macvlan)']);
  });

  // What a process leaves that was killed between `link.add` and `sysctl.set`.
  it('that is down goes up only after its sysctls are set', () => {
    const sysctls = onChild.sysctls;
    expect(words({ links: [dummy, child], sysctls }, { links: [dummy, { ...child, up: false }] })).toEqual([
      '~sysctl net/ipv6/conf/tss1/accept_ra=0',
      '~link tss1 up=true',
    ]);
  });
});

describe('changed items', () => {
  it('are set over the old ones', () => {
    const before = { links: [dummy, child], ...onChild };
    const after = {
      ...before,
      routes: [{ link: 'tss1', destination: '198.18.0.9/32', source: '198.18.0.2' }],
      neighbours: [{ link: 'tss1', address: '198.18.0.9', entry: { mac: '02:00:00:00:00:0a' } }],
      sysctls: [{ path: 'net/ipv6/conf/tss1/accept_ra', value: '1' }],
    };
    expect(words(after, before)).toEqual([
      '~sysctl net/ipv6/conf/tss1/accept_ra=1',
      '+neighbour 198.18.0.9 dev tss1',
      '+route 198.18.0.9/32 dev tss1',
    ]);
  });

  it('take the route to a container away before its neighbour, and set it after', () => {
    const links = [dummy, child];
    const { routes, neighbours } = onChild;
    const gone = words({ links }, { links, routes, neighbours });
    expect(gone).toEqual(['-route 198.18.0.9/32 dev tss1', '-neighbour 198.18.0.9 dev tss1']);
    const made = words({ links, routes, neighbours }, { links });
    expect(made).toEqual(['+neighbour 198.18.0.9 dev tss1', '+route 198.18.0.9/32 dev tss1']);
  });

  it('of the same address are told apart as entry and proxy', () => {
    const entry = { link: 'tss1', address: '2001:db8::1', entry: { mac: '02:00:00:00:00:0a' } };
    const proxy = { link: 'tss1', address: '2001:db8::1', entry: 'proxy' as const };
    const links = [dummy, child];
    expect(words({ links, neighbours: [proxy] }, { links, neighbours: [entry] })).toEqual([
      '-neighbour 2001:db8::1 dev tss1',
      '+neighbour 2001:db8::1 dev tss1 proxy',
    ]);
  });

  it('do not include a sysctl that is no longer wanted: what it was before is not known', () => {
    expect(words({}, { sysctls: [{ path: 'net/ipv4/ip_forward', value: '1' }] })).toEqual([]);
  });
});
