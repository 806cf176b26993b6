import { describe, expect, it } from 'vitest';
import type { MacvlanLink, MacvlanMode } from '../../../src/host-state/types.ts';
import { UNFINISHED_ALIAS, UNFINISHED_GROUP } from '../../../src/kernel/rtnetlink/unfinished.ts';
import { sandboxLinks } from '../../../src/kernel/sandbox/view.ts';
import { testNamespace } from '../namespace.ts';
import { bridge, inOwnNamespace, veth } from './fixture.ts';

const f = inOwnNamespace();
const only = async (name: string) => (await f.ns.json('link', 'show', name))[0];

describe('links', () => {
  it('makes a bridge with alias, MAC and MTU', async () => {
    const index = await f.rtnl.addLink(bridge('tb0', { mac: '02:42:00:00:00:01', mtu: 1400 }));
    expect(await only('tb0')).toMatchObject({
      ifindex: index,
      ifalias: 'tsnet:tb0',
      address: '02:42:00:00:00:01',
      mtu: 1400,
      group: 'default',
      linkinfo: { info_kind: 'bridge' },
    });
    expect((await only('tb0'))?.flags).toContain('UP');
    expect(await f.rtnl.link('tb0')).toMatchObject({
      index,
      name: 'tb0',
      kind: 'bridge',
      alias: 'tsnet:tb0',
      mac: '02:42:00:00:00:01',
      mtu: 1400,
      up: true,
      loopback: false,
    });
  });

  it('keeps a bridge’s MTU when a port with a lower one joins', async () => {
    await f.rtnl.addLink(bridge('tb0', { mtu: 1450 }));
    await f.rtnl.addLink(veth('tv0', { master: 'tb0', mtu: 1300 }));
    expect(await only('tb0')).toMatchObject({ mtu: 1450 });
  });

  it('makes a veth pair with everything of either end', async () => {
    const master = await f.rtnl.addLink(bridge('tb0'));
    const peer = { name: 'tv0p', mac: '02:42:00:00:00:03', mtu: 1380 };
    const link = veth('tv0', {
      mac: '02:42:00:00:00:02',
      mtu: 1390,
      master: 'tb0',
      isolated: true,
      hairpin: true,
      peer,
    });
    const index = await f.rtnl.addLink(link, { master });
    expect(await only('tv0')).toMatchObject({
      ifindex: index,
      link: 'tv0p',
      master: 'tb0',
      address: '02:42:00:00:00:02',
      mtu: 1390,
      ifalias: 'tsnet:net:tv0',
      linkinfo: {
        info_kind: 'veth',
        info_slave_kind: 'bridge',
        info_slave_data: { isolated: true, hairpin: true },
      },
    });
    expect(await only('tv0p')).toMatchObject({ address: '02:42:00:00:00:03', mtu: 1380 });
    const [mine, other] = [await f.rtnl.link('tv0'), await f.rtnl.link('tv0p')];
    expect(mine).toMatchObject({
      kind: 'veth',
      master,
      isolated: true,
      hairpin: true,
      parent: other?.index,
      up: true,
    });
    expect(other).toMatchObject({ mac: peer.mac, parent: index, up: false });
    expect(other).not.toHaveProperty('master');
    expect(other).not.toHaveProperty('isolated');
    expect(other).not.toHaveProperty('hairpin');
  });

  it('sees that a peer is in another namespace', async () => {
    await using other = await testNamespace();
    await f.rtnl.addLink(veth('tv0'));
    await f.ns.ip('link', 'set', 'tv0p', 'netns', other.path);
    expect(await f.rtnl.link('tv0')).toMatchObject({ parentNetnsId: 0 });
    const inside = await sandboxLinks(other.path);
    expect(inside?.map(link => link.name)).toEqual(['lo', 'tv0p']);
    expect(inside?.[1]).toMatchObject({ kind: 'veth', up: false });
  });

  it.each<MacvlanMode>(['bridge', 'private', 'vepa', 'passthru'])(
    'makes a macvlan in mode %s',
    async macvlanMode => {
      const parent = await f.rtnl.addLink(veth('tv0'));
      const link: MacvlanLink = {
        kind: 'macvlan',
        name: 'tm0',
        alias: 'tsnet:shim:tv0',
        parent: 'tv0',
        macvlanMode,
        up: true,
      };
      await f.rtnl.addLink(link);
      expect(await only('tm0')).toMatchObject({
        link: 'tv0',
        ifalias: 'tsnet:shim:tv0',
        linkinfo: { info_kind: 'macvlan', info_data: { mode: macvlanMode } },
      });
      expect(await f.rtnl.link('tm0')).toMatchObject({ kind: 'macvlan', macvlanMode, parent, up: true });
    },
  );

  it('leaves out the link-local address where asked to', async () => {
    await f.ns.sh('ip link add tv0 type veth peer name tv0p && ip link set tv0 up && ip link set tv0p up');
    const shim = { kind: 'macvlan', parent: 'tv0', macvlanMode: 'bridge', up: true } as const;
    await f.rtnl.addLink({ ...shim, name: 'tm0', alias: 'tsnet:a', noLinkLocal: true });
    await f.rtnl.addLink({ ...shim, name: 'tm1', alias: 'tsnet:b' });
    expect(await only('tm0')).toMatchObject({ inet6_addr_gen_mode: 'none' });
    const count = async (name: string) =>
      (await f.ns.json('-6', 'addr', 'show', 'dev', name))[0]?.addr_info?.length ?? 0;
    expect([await count('tm0'), await count('tm1')]).toEqual([0, 1]);
  });

  it('makes a dummy, or says that the kernel has none', async context => {
    const adding = f.rtnl.addLink({ kind: 'dummy', name: 'td0', alias: 'tsnet:td0', up: true });
    const outcome = await adding.catch((error: unknown) => error);
    if (typeof outcome !== 'number') {
      expect(outcome).toMatchObject({ code: 'EOPNOTSUPP', operation: 'RTM_NEWLINK td0' });
      expect(await f.rtnl.link('td0')).toBeUndefined();
      context.skip('this kernel is built without dummy links');
    }
    expect(await only('td0')).toMatchObject({ ifindex: outcome, linkinfo: { info_kind: 'dummy' } });
  });

  it('leaves a link down that is to stay down', async () => {
    await f.rtnl.addLink(veth('tv0', { up: false }));
    expect(await f.rtnl.link('tv0')).toMatchObject({ up: false, alias: 'tsnet:net:tv0' });
  });

  it('refuses a taken name and leaves the link of that name alone', async () => {
    await f.ns.ip('link', 'add', 'tb0', 'type', 'bridge');
    await expect(f.rtnl.addLink(bridge('tb0'))).rejects.toMatchObject({
      name: 'NetlinkError',
      code: 'EEXIST',
      operation: 'RTM_NEWLINK tb0',
    });
    expect(await f.rtnl.link('tb0')).toMatchObject({ up: false });
    expect(await f.rtnl.link('tb0')).not.toHaveProperty('alias');
  });

  it('names a master or parent that is not there', async () => {
    const error = { code: 'ENODEV', extack: 'there is no link nowhere' };
    await expect(f.rtnl.addLink(veth('tv0', { master: 'nowhere' }))).rejects.toMatchObject(error);
    const shim = { kind: 'macvlan', parent: 'nowhere', macvlanMode: 'bridge', up: true } as const;
    await expect(f.rtnl.addLink({ ...shim, name: 'tm0', alias: 'x' })).rejects.toMatchObject(error);
  });

  it('leaves nothing when finishing fails', async () => {
    // Isolation is a property of bridge ports, and this link is none.
    await expect(f.rtnl.addLink(veth('tv0', { isolated: true }))).rejects.toMatchObject({
      code: 'EOPNOTSUPP',
    });
    expect((await f.rtnl.links()).map(link => link.name)).toEqual(['lo']);
  });

  it('knows what a crash left unmarked, and makes it anew', async () => {
    await f.ns.ip(
      'link',
      'add',
      'tv0',
      'group',
      String(UNFINISHED_GROUP),
      'type',
      'veth',
      'peer',
      'name',
      'tv0p',
    );
    const left = await f.rtnl.link('tv0');
    expect(left).toMatchObject({ alias: UNFINISHED_ALIAS, up: false });
    const index = await f.rtnl.addLink(veth('tv0'));
    expect(index).not.toBe(left?.index);
    expect(await f.rtnl.link('tv0')).toMatchObject({ index, alias: 'tsnet:net:tv0', up: true });
  });

  it('changes a link', async () => {
    const master = await f.rtnl.addLink(bridge('tb0'));
    const index = await f.rtnl.addLink(veth('tv0'));
    const mac = '02:42:00:00:00:09';
    await f.rtnl.setLink(index, {
      mtu: 1200,
      mac,
      master,
      isolated: true,
      hairpin: true,
      alias: 'tsnet:other',
    });
    expect(await f.rtnl.link(index)).toMatchObject({
      mtu: 1200,
      mac,
      master,
      isolated: true,
      hairpin: true,
      alias: 'tsnet:other',
    });
    await f.rtnl.setLink(index, { isolated: false, up: false });
    expect(await f.rtnl.link(index)).toMatchObject({
      isolated: false,
      hairpin: true,
      up: false,
      mtu: 1200,
    });
    await f.rtnl.setLink(index, { hairpin: false });
    expect(await f.rtnl.link(index)).toMatchObject({ isolated: false, hairpin: false });
    await f.rtnl.setLink(index, { master: 0, alias: '' });
    const bare = await f.rtnl.link(index);
    expect(bare).not.toHaveProperty('master');
    expect(bare).not.toHaveProperty('alias');
    await expect(f.rtnl.setLink(4711, { up: true })).rejects.toMatchObject({ code: 'ENODEV' });
  });

  it('refuses index 0, which stands for a whole group', async () => {
    await expect(f.rtnl.deleteLink(0)).rejects.toThrow(RangeError);
    await expect(f.rtnl.setLink(0, { up: true })).rejects.toThrow(RangeError);
  });

  it('passes the kernel’s own words on', async () => {
    const index = await f.rtnl.addLink(veth('tv0'));
    await expect(f.rtnl.setLink(index, { mtu: 10 })).rejects.toMatchObject({
      code: 'EINVAL',
      extack: expect.stringMatching(/mtu/i),
    });
  });

  it('finds what bears the mark, and only that', async () => {
    const own = await f.rtnl.addLink(bridge('tb0', { alias: 'tsnet:abc' }));
    const part = await f.rtnl.addLink(veth('tv0', { alias: 'tsnet:abc:ep' }));
    await f.ns.ip('link', 'add', 'foreign', 'type', 'bridge');
    await f.rtnl.addLink(bridge('tb1', { alias: 'tsnet:abcd' }));
    const found = ['foreign', 'tb1', 'tb0', 'tv0', 'gone'].map(name => f.rtnl.markedLink(name, 'tsnet:abc'));
    expect(await Promise.all(found)).toEqual([undefined, undefined, own, part, undefined]);
  });

  it('takes the deletion of an absent link for done', async () => {
    const index = await f.rtnl.addLink(bridge('tb0'));
    await f.rtnl.deleteLink(index);
    await expect(f.rtnl.deleteLink(index)).resolves.toBeUndefined();
  });

  it('answers undefined for absent links', async () => {
    expect(await f.rtnl.link('nowhere')).toBeUndefined();
    expect(await f.rtnl.link(4711)).toBeUndefined();
  });

  it('describes the loopback link', async () => {
    expect(await f.rtnl.links()).toEqual([
      { index: 1, name: 'lo', mtu: 65536, up: true, carrier: true, loopback: true },
    ]);
  });
});
