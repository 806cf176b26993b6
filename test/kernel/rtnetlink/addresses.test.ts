import { describe, expect, it } from 'vitest';
import { ADDRESS_PROTOCOL } from '../../../src/host-state/mark.ts';
import { bridge, inOwnNamespace } from './fixture.ts';

const f = inOwnNamespace();
const NODAD = 0x02;
const NOPREFIXROUTE = 0x200;
const PERMANENT = 0x80;

describe('addresses', () => {
  it.each(['198.18.5.1/24', '2001:db8:5::1/64'])('adds, lists and deletes %s', async address => {
    const linkIndex = await f.rtnl.addLink(bridge('tb0', { noLinkLocal: true }));
    const wanted = { link: 'tb0', address };
    await f.rtnl.addAddress(linkIndex, wanted);
    await f.rtnl.addAddress(linkIndex, wanted);
    const [found, ...others] = (await f.rtnl.addresses({ linkIndex })).filter(a => a.scope === 0);
    expect(others).toEqual([]);
    expect(found).toMatchObject({ linkIndex, address, scope: 0, protocol: ADDRESS_PROTOCOL });
    expect((found?.flags ?? 0) & (PERMANENT | NOPREFIXROUTE)).toBe(PERMANENT);
    const family = address.includes(':') ? '-6' : '-4';
    expect(await f.ns.json(family, 'addr', 'show', 'dev', 'tb0', 'scope', 'global')).toMatchObject([
      {
        ifname: 'tb0',
        addr_info: [{ local: address.split('/')[0], prefixlen: Number(address.split('/')[1]) }],
      },
    ]);
    expect((await f.ns.json(family, 'route', 'show', 'dev', 'tb0')).length).toBeGreaterThan(0);
    await f.rtnl.deleteAddress(linkIndex, wanted);
    await f.rtnl.deleteAddress(linkIndex, wanted);
    expect((await f.rtnl.addresses({ linkIndex })).filter(a => a.scope === 0)).toEqual([]);
  });

  it.each(['198.18.5.1/32', '2001:db8:5::1/64'])('adds %s without a connected route', async address => {
    const linkIndex = await f.rtnl.addLink(bridge('tb0', { noLinkLocal: true }));
    await f.rtnl.addAddress(linkIndex, { link: 'tb0', address, noPrefixRoute: true });
    const [found] = await f.rtnl.addresses({ linkIndex });
    expect((found?.flags ?? 0) & NOPREFIXROUTE).toBe(NOPREFIXROUTE);
    expect((await f.rtnl.routes({ linkIndex, table: 254 })).filter(r => r.destination === address)).toEqual(
      [],
    );
  });

  it('spares IPv6 addresses the detection of duplicates', async () => {
    const linkIndex = await f.rtnl.addLink(bridge('tb0', { noLinkLocal: true }));
    await f.rtnl.addAddress(linkIndex, { link: 'tb0', address: '2001:db8::1/64' });
    const [found] = await f.rtnl.addresses({ linkIndex });
    expect((found?.flags ?? 0) & NODAD).toBe(NODAD);
  });

  it('lists those of every link, with scope and protocol', async () => {
    await f.ns.ip('addr', 'add', '198.18.9.1/31', 'scope', 'link', 'dev', 'lo');
    const all = await f.rtnl.addresses();
    expect(all).toContainEqual(expect.objectContaining({ address: '127.0.0.1/8', linkIndex: 1, scope: 254 }));
    expect(all).toContainEqual(expect.objectContaining({ address: '::1/128', linkIndex: 1, scope: 254 }));
    expect(all).toContainEqual(
      expect.objectContaining({ address: '198.18.9.1/31', scope: 253, protocol: 0, flags: PERMANENT }),
    );
  });

  it('takes an absent link for one without addresses', async () => {
    const gone = { link: 'gone', address: '198.18.5.1/24' };
    expect(await f.rtnl.addresses({ linkIndex: 4711 })).toEqual([]);
    await expect(f.rtnl.deleteAddress(4711, gone)).resolves.toBeUndefined();
    await expect(f.rtnl.addAddress(4711, gone)).rejects.toMatchObject({
      code: 'ENODEV',
      operation: 'RTM_NEWADDR 198.18.5.1/24 dev gone',
    });
  });
});
