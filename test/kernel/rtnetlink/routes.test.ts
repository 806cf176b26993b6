import { beforeEach, describe, expect, it } from 'vitest';
import { ROUTE_PROTOCOL } from '../../../src/host-state/mark.ts';
import { inOwnNamespace, veth } from './fixture.ts';

const f = inOwnNamespace();
let linkIndex: number;

beforeEach(async () => {
  linkIndex = await f.rtnl.addLink(veth('tv0', { noLinkLocal: true }));
  await f.ns.sh(`
    ip link set tv0p up
    for a in 198.18.0.5/24 198.18.0.6/24; do ip addr add $a dev tv0; done
    for a in 2001:db8::5/64 2001:db8::6/64; do ip addr add $a dev tv0 nodad; done`);
});

const ours = () => f.rtnl.routes({ protocol: ROUTE_PROTOCOL });

describe.each([
  { family: '-4', destination: '198.18.0.77/32', sources: ['198.18.0.5', '198.18.0.6'], scope: 253 },
  { family: '-6', destination: '2001:db8::77/128', sources: ['2001:db8::5', '2001:db8::6'], scope: 0 },
])('routes, ip $family', ({ family, destination, sources: [first = '', second = ''], scope }) => {
  const route = { link: 'tv0', destination, source: first };
  const show = () => f.ns.json(family, 'route', 'show', destination);

  it('adds one with a source, and again', async () => {
    await f.rtnl.replaceRoute(linkIndex, route);
    await f.rtnl.replaceRoute(linkIndex, route);
    expect(await ours()).toEqual([
      { destination, linkIndex, source: first, table: 254, protocol: ROUTE_PROTOCOL, scope },
    ]);
    expect(await show()).toMatchObject([{ dev: 'tv0', protocol: String(ROUTE_PROTOCOL), prefsrc: first }]);
  });

  it('replaces source and link', async () => {
    await f.rtnl.replaceRoute(linkIndex, route);
    await f.rtnl.replaceRoute(linkIndex, { ...route, source: second });
    expect(await ours()).toMatchObject([{ source: second, linkIndex }]);
    const other = await f.rtnl.addLink(veth('tv1'));
    await f.rtnl.replaceRoute(other, { link: 'tv1', destination });
    expect(await ours()).toMatchObject([{ destination, linkIndex: other }]);
    expect((await ours())[0]).not.toHaveProperty('source');
  });

  it('leaves somebody else’s route alone', async () => {
    await f.ns.ip(family, 'route', 'add', destination, 'dev', 'tv0');
    const theirs = await show();
    await expect(f.rtnl.replaceRoute(linkIndex, route)).rejects.toMatchObject({ code: 'EEXIST' });
    await f.rtnl.deleteRoute(linkIndex, route);
    expect(await show()).toEqual(theirs);
  });

  it('deletes, whatever the source, and again', async () => {
    await f.rtnl.replaceRoute(linkIndex, { ...route, source: second });
    await f.rtnl.deleteRoute(linkIndex, route);
    await f.rtnl.deleteRoute(linkIndex, route);
    await f.rtnl.deleteRoute(4711, route);
    expect(await show()).toEqual([]);
  });

  it('explains a refusal', async () => {
    await expect(f.rtnl.replaceRoute(4711, route)).rejects.toMatchObject({
      code: 'ENODEV',
      operation: `RTM_NEWROUTE ${destination} dev tv0`,
    });
    // An address of this host cannot be the source where it is none.
    const stranger = family === '-4' ? '198.18.99.99' : '2001:db8:99::99';
    await expect(f.rtnl.replaceRoute(linkIndex, { ...route, source: stranger })).rejects.toMatchObject({
      code: 'EINVAL',
      extack: expect.stringMatching(/^Invalid (prefsrc|source) address$/),
    });
  });
});

describe('routes', () => {
  it('lists default, multipath and far-table routes of both families', async () => {
    await f.ns.sh(`
      ip route add default via 198.18.0.1 dev tv0
      ip -6 route add default via 2001:db8::1 dev tv0
      ip route add 203.0.113.0/24 nexthop via 198.18.0.1 dev tv0 nexthop via 198.18.0.2 dev tv0
      ip route add 192.0.2.0/24 via inet6 2001:db8::9 dev tv0
      ip route add unreachable 198.51.100.0/24 table 1000`);
    const routes = await f.rtnl.routes();
    const to = (destination: string) => routes.filter(route => route.destination === destination);
    expect(to('0.0.0.0/0')).toMatchObject([{ gateway: '198.18.0.1', linkIndex, table: 254 }]);
    expect(to('::/0')).toMatchObject([{ gateway: '2001:db8::1', linkIndex }]);
    expect(to('203.0.113.0/24').map(route => route.gateway)).toEqual(['198.18.0.1', '198.18.0.2']);
    expect(to('192.0.2.0/24')).toMatchObject([{ gateway: '2001:db8::9' }]);
    expect(to('198.51.100.0/24')).toMatchObject([{ table: 1000 }]);
    expect(to('198.18.0.0/24')).toMatchObject([{ protocol: 2, scope: 253, source: '198.18.0.5' }]);
    // What the kernel keeps for its own addresses is left out.
    expect(routes.filter(route => route.table === 255)).toEqual([]);
    expect(await f.rtnl.routes({ table: 1000 })).toHaveLength(1);
    expect(await f.rtnl.routes({ table: 4711 })).toEqual([]);
    expect(await f.rtnl.routes({ linkIndex: 4711 })).toEqual([]);
    expect((await f.rtnl.routes({ linkIndex })).every(route => route.linkIndex === linkIndex)).toBe(true);
  });
});
