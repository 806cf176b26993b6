import { describe, expect, it } from 'vitest';
import type { Neighbour } from '../../../src/host-state/types.ts';
import { inOwnNamespace, veth } from './fixture.ts';

const f = inOwnNamespace();
const PERMANENT = 0x80;

describe.each(['198.18.0.77', '2001:db8::77'])('neighbour %s', address => {
  const link = 'tv0';
  const mac = '02:42:0a:00:00:05';

  it('is added permanently, replaced and deleted', async () => {
    const linkIndex = await f.rtnl.addLink(veth(link));
    const neighbour: Neighbour = { link, address, entry: { mac } };
    await f.rtnl.replaceNeighbour(linkIndex, neighbour);
    await f.rtnl.replaceNeighbour(linkIndex, neighbour);
    const wanted = { linkIndex, address, mac, state: PERMANENT, proxy: false };
    expect((await f.rtnl.neighbours({ linkIndex })).filter(n => n.address === address)).toEqual([wanted]);
    expect(await f.ns.json('neigh', 'show', 'dev', link, 'nud', 'permanent')).toMatchObject([
      { dst: address, lladdr: mac, state: ['PERMANENT'] },
    ]);
    const other = '02:42:0a:00:00:06';
    await f.rtnl.replaceNeighbour(linkIndex, { link, address, entry: { mac: other } });
    expect(await f.rtnl.neighbours()).toContainEqual({ ...wanted, mac: other });
    await f.rtnl.deleteNeighbour(linkIndex, neighbour);
    await f.rtnl.deleteNeighbour(linkIndex, neighbour);
    expect((await f.rtnl.neighbours()).filter(n => n.address === address)).toEqual([]);
  });

  it('is proxied, and no longer', async () => {
    const linkIndex = await f.rtnl.addLink(veth(link));
    const neighbour: Neighbour = { link, address, entry: 'proxy' };
    await f.rtnl.replaceNeighbour(linkIndex, neighbour);
    await f.rtnl.replaceNeighbour(linkIndex, neighbour);
    expect(await f.rtnl.neighbours({ proxy: true })).toEqual([{ linkIndex, address, state: 0, proxy: true }]);
    expect(await f.ns.json('neigh', 'show', 'proxy')).toMatchObject([{ dst: address, dev: link }]);
    expect((await f.rtnl.neighbours()).filter(n => n.address === address)).toEqual([]);
    expect(await f.rtnl.neighbours({ proxy: true, linkIndex: 1 })).toEqual([]);
    await f.rtnl.deleteNeighbour(linkIndex, neighbour);
    await f.rtnl.deleteNeighbour(linkIndex, neighbour);
    expect(await f.rtnl.neighbours({ proxy: true })).toEqual([]);
  });

  it('cannot be added to an absent link, and is absent there', async () => {
    const neighbour: Neighbour = { link: 'gone', address, entry: { mac } };
    await expect(f.rtnl.replaceNeighbour(4711, neighbour)).rejects.toMatchObject({ code: 'ENODEV' });
    await expect(f.rtnl.deleteNeighbour(4711, neighbour)).resolves.toBeUndefined();
    await expect(f.rtnl.deleteNeighbour(4711, { ...neighbour, entry: 'proxy' })).resolves.toBeUndefined();
    expect(await f.rtnl.neighbours({ linkIndex: 4711 })).toEqual([]);
  });
});
