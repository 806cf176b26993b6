import { describe, expect, it } from 'vitest';
import { diff } from '../../src/host-state/diff.ts';
import { describe as inWords } from '../../src/host-state/ops.ts';
import { EMPTY, type Guard, type HostState, type Link, type PortHold } from '../../src/host-state/types.ts';

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

describe('a remade bridge', () => {
  it('gets a port back in hairpin mode as it was', () => {
    const { isolated: _isolated, ...rest } = port as Extract<Link, { kind: 'veth' }>;
    const hairpin: Link = { ...rest, hairpin: true };
    expect(
      words({ links: [bridge, hairpin] }, { links: [{ ...bridge, alias: 'tsnet:old' }, hairpin] }),
    ).toEqual(['-link tsb1', '+link tsb1 (bridge)', '~link tsv1 master=tsb1 hairpin=true']);
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

  it.each([
    [true, undefined, ['~link tsv1 hairpin=true']],
    [undefined, true, ['~link tsv1 hairpin=false']],
    [false, undefined, []],
  ])('that is a port with hairpin mode %s instead of %s', (wanted, there, expected) => {
    const as = (hairpin: boolean | undefined): Link =>
      ({ ...port, ...(hairpin === undefined ? {} : { hairpin }) }) as Link;
    expect(words({ links: [bridge, as(wanted)] }, { links: [bridge, as(there)] })).toEqual(expected);
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

const hold: PortHold = { protocol: 'tcp', address: '0.0.0.0', port: 80, owner: 'e1' };
const mapping = (port: string, container = '198.18.0.2') => ({
  set: 'publish4' as const,
  key: ['tcp', port],
  value: [container, '8080'],
});

describe('a published port', () => {
  const published = { links: [dummy], holds: [hold], firewall: [mapping('80')] };

  it('is held before packets to it are redirected, and until they no longer are', () => {
    expect(words(published, {})).toEqual(['+port 0.0.0.0:80/tcp', '~firewall +1 -0', '+link tsd1 (dummy)']);
    expect(words({}, published)).toEqual([
      '-link tsd1',
      '~firewall +0 -1',
      '-port 0.0.0.0:80/tcp',
      '-flows of 1 match(es)',
    ]);
  });

  it('that passes to another container is exchanged in one step', () => {
    const to = { ...published, firewall: [mapping('80', '198.18.0.3')] };
    expect(diff({ ...EMPTY, ...to }, { ...EMPTY, ...published })).toEqual([
      { op: 'firewall', add: to.firewall, delete: published.firewall },
      {
        op: 'flows.forget',
        flows: [expect.objectContaining({ container: '198.18.0.2', containerPort: 8080 })],
      },
    ]);
  });

  it('whose value is the same in other words is left alone', () => {
    expect(words({ firewall: [mapping('80')] }, { firewall: [mapping('80')] })).toEqual([]);
  });

  it.each<[string, Partial<PortHold>]>([
    ['endpoint', { owner: 'e2' }],
    ['relay', { relay: { address: '198.18.0.2', port: 8080 } }],
  ])('that is held for another %s is let go and held anew', (_what, other) => {
    expect(words({ holds: [{ ...hold, ...other }] }, { holds: [hold] })).toEqual([
      '-port 0.0.0.0:80/tcp',
      '+port 0.0.0.0:80/tcp',
    ]);
  });

  it('on one address instead of all is let go first, for both cannot be bound at once', () => {
    const one = { ...hold, address: '127.0.0.1', owner: 'e2' };
    expect(words({ holds: [one] }, { holds: [hold] })).toEqual([
      '-port 0.0.0.0:80/tcp',
      '+port 127.0.0.1:80/tcp',
    ]);
  });
});

describe('a redirect in a sandbox', () => {
  const redirect = {
    sandbox: '/run/docker/netns/1',
    endpointId: 'e1',
    rules: [{ protocol: 'tcp' as const, address: '198.18.0.2', from: 80, to: 8080 }],
  };

  it('is made, replaced and removed', () => {
    const other = { ...redirect, rules: [...redirect.rules, ...redirect.rules] };
    const set = (count: number) => [`~redirect of ${count} port(s) in /run/docker/netns/1`];
    expect(words({ redirects: [redirect] }, {})).toEqual(set(1));
    expect(words({ redirects: [other] }, { redirects: [redirect] })).toEqual(set(2));
    expect(words({ redirects: [redirect] }, { redirects: [redirect] })).toEqual([]);
    expect(words({}, { redirects: [redirect] })).toEqual(['-redirect in /run/docker/netns/1']);
  });
});

describe("the host's own firewall", () => {
  const guard: Guard = { rules: [{ family: 4, action: 'deny' }], otherwise: { 4: 'allow', 6: 'allow' } };
  const other: Guard = { rules: [], otherwise: guard.otherwise };

  it('is followed when it changes', () => {
    expect(words({ guard }, {})).toEqual(['~firewall guard with 1 rules']);
    expect(words({ guard: other }, { guard })).toEqual(['~firewall guard with 0 rules']);
    expect(words({ guard }, { guard })).toEqual([]);
  });

  it('is let go of when no network asks for it any more', () => {
    expect(diff(EMPTY, { ...EMPTY, guard })).toEqual([{ op: 'firewall.guard', guard: undefined }]);
  });

  it('comes with a rebuilt table', () => {
    const from = { ...EMPTY, firewallIntact: false };
    expect(diff({ ...EMPTY, guard }, from)).toEqual([{ op: 'firewall.rebuild', elements: [], guard }]);
  });
});

describe('a rebuilt table', () => {
  const udp = { set: 'publish4' as const, key: ['udp', '53'], value: ['198.18.0.2', '53'] };

  it('ends what began while it was away, and what went through mappings that are gone', () => {
    const to = { ...EMPTY, firewall: [udp, mapping('80')] };
    const ops = diff(to, { ...EMPTY, firewall: [mapping('81', '198.18.0.9')], firewallIntact: false });
    expect(ops).toEqual([
      { op: 'firewall.rebuild', elements: to.firewall, guard: undefined },
      {
        op: 'flows.forget',
        flows: [
          expect.objectContaining({ container: '198.18.0.9', containerPort: 8080 }),
          { family: 4, protocol: 'udp', hostPort: 53 },
        ],
      },
    ]);
  });
});
