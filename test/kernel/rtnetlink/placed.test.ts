import { describe, expect, it } from 'vitest';
import type { Place } from '../../../src/host-state/types.ts';
import { UNFINISHED_ALIAS } from '../../../src/kernel/rtnetlink/unfinished.ts';
import { sandboxLinks } from '../../../src/kernel/sandbox/view.ts';
import type { TestNamespace } from '../namespace.ts';
import {
  endAt,
  inOwnSandbox,
  KINDS,
  MAC,
  MADE_AS,
  MARK,
  namesIn,
  OF_MACVLAN,
  openNamespaces,
  placedMacvlan,
  placedVeth,
  placeIn,
} from '../sandbox/own-sandbox.ts';

const own = inOwnSandbox();
const HOST = ['lo', 'tb0', 'tp0', 'tp0p'];
const apply = (kind: (typeof KINDS)[number], place: Place, end = {}) =>
  own.kernel.apply(kind.steps(place, end), { context: 'container web' });
/** All that `ip` tells of the interface but what changes by itself. */
const whole = async (namespace: TestNamespace, name: string) => {
  const [link] = await namespace.json('address', 'show', name);
  return link;
};

describe('a link that is made in another namespace', () => {
  it('as a veth pair has its host end here and its peer there', async () => {
    const place = placeIn(own.sandbox);
    const index = await own.rtnl.addLink(placedVeth(place));
    expect((await namesIn(own.host)).sort()).toEqual([...HOST, 'tsv1'].sort());
    expect(await namesIn(own.sandbox)).toEqual(['lo', 'eth100']);
    expect(await own.rtnl.link('tsv1')).toMatchObject({
      index,
      kind: 'veth',
      alias: MARK,
      mtu: 1400,
      up: true,
      parentNetnsId: expect.any(Number),
    });
    expect(await sandboxLinks(place.sandbox)).toMatchObject([
      { name: 'lo' },
      { name: 'eth100', kind: 'veth', mac: MAC, mtu: 1400, up: false },
    ]);
  });

  it.each(['bridge', 'private', 'vepa', 'passthru'] as const)(
    'as a macvlan in mode %s is there only, down, and known as unfinished',
    async macvlanMode => {
      const place = placeIn(own.sandbox);
      await own.rtnl.addLink(placedMacvlan(place, { macvlanMode }));
      expect(await namesIn(own.host)).toEqual(expect.arrayContaining(HOST));
      expect(await namesIn(own.host)).toHaveLength(HOST.length);
      expect(await sandboxLinks(place.sandbox)).toMatchObject([
        { name: 'lo' },
        {
          name: MADE_AS,
          kind: 'macvlan',
          macvlanMode,
          // One that lends its MAC to the parent is made with the parent's.
          ...(macvlanMode === 'passthru' ? {} : { mac: MAC }),
          mtu: 1400,
          up: false,
          alias: UNFINISHED_ALIAS,
          parentNetnsId: expect.any(Number),
        },
      ]);
    },
  );

  it.each(KINDS)('may have the name of a link of the host: $kind', async kind => {
    await own.host.ip('link', 'add', 'eth0', 'type', 'bridge');
    const before = await whole(own.host, 'eth0');
    await apply(kind, placeIn(own.sandbox, 'eth0'));
    expect(await namesIn(own.sandbox)).toEqual(['lo', 'eth0']);
    expect(await whole(own.sandbox, 'eth0')).toMatchObject({ address: MAC, mtu: 1400 });
    expect(await whole(own.host, 'eth0')).toEqual(before);
  });

  it('removes what an attempt that was cut off has left of a veth pair', async () => {
    const place = placeIn(own.sandbox);
    await own.host.sh(
      `ip link add tsv1 group ${0x74736e74} type veth peer name eth100 netns ${place.sandbox.split('/')[2]}`,
    );
    await own.rtnl.addLink(placedVeth(place));
    expect(await sandboxLinks(place.sandbox)).toMatchObject([{ name: 'lo' }, { name: 'eth100', mac: MAC }]);
  });

  it.each(KINDS)('is not made, nor left in part, where the namespace is gone: $kind', async kind => {
    const gone = { sandbox: '/proc/4194304/ns/net', name: 'eth100' };
    await expect(apply(kind, gone)).rejects.toMatchObject({
      code: 'KERNEL',
      what: expect.stringMatching(/container web.*\/proc\/4194304\/ns\/net: missing/),
    });
    expect(await namesIn(own.host)).toHaveLength(HOST.length);
  });

  it.each(KINDS)('leaves no descriptor behind, made or not: $kind', async kind => {
    const before = openNamespaces();
    await apply(kind, placeIn(own.sandbox));
    await own.sandbox.ip('link', 'add', 'eth101', 'type', 'bridge');
    await expect(apply(kind, placeIn(own.sandbox, 'eth101'))).rejects.toThrow();
    expect(openNamespaces()).toBe(before);
  });
});

describe.each(KINDS)('the interface inside a sandbox, of a $kind', kind => {
  it('has name, MAC, MTU and addresses, and is up', async () => {
    await apply(kind, placeIn(own.sandbox));
    const link = await whole(own.sandbox, 'eth100');
    expect(link).toMatchObject({ ifname: 'eth100', address: MAC, mtu: 1400, group: 'default' });
    expect(link?.['ifalias']).toBe(kind.known.alias);
    expect(link?.flags).toContain('UP');
    expect(link?.addr_info).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          family: 'inet',
          local: '198.18.0.9',
          prefixlen: 24,
          broadcast: '198.18.0.255',
          scope: 'global',
        }),
        expect.objectContaining({ family: 'inet6', local: '2001:db8::9', prefixlen: 64, nodad: true }),
      ]),
    );
    expect(await own.sandbox.sh('cat /proc/sys/net/ipv6/conf/eth100/disable_ipv6')).toBe('0');
  });

  it('has IPv6 switched off, and no address of it, where it is given none', async () => {
    await apply(kind, placeIn(own.sandbox), { addresses: ['198.18.0.9/24'] });
    expect((await whole(own.sandbox, 'eth100'))?.addr_info).toMatchObject([{ local: '198.18.0.9' }]);
    expect(await own.sandbox.sh('cat /proc/sys/net/ipv6/conf/eth100/disable_ipv6')).toBe('1');
  });

  it('has IPv6 switched on where the sandbox has it off by default', async () => {
    await own.sandbox.sh('echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6');
    await apply(kind, placeIn(own.sandbox), { addresses: ['2001:db8::9/64'] });
    const addresses = (await whole(own.sandbox, 'eth100'))?.addr_info;
    expect(addresses).toContainEqual(expect.objectContaining({ local: '2001:db8::9', nodad: true }));
  });

  it.each([31, 32])('has no broadcast address in a subnet of prefix length %i', async prefix => {
    await apply(kind, placeIn(own.sandbox), { addresses: [`198.18.0.9/${prefix}`] });
    const [address] = (await whole(own.sandbox, 'eth100'))?.addr_info ?? [];
    expect(address).toMatchObject({ local: '198.18.0.9', prefixlen: prefix });
    expect(address).not.toHaveProperty('broadcast');
  });

  it('has its own kernel parameters, and the host not', async () => {
    const path = 'net/ipv4/conf/eth100/log_martians';
    const ofHost = () => own.host.sh('cat /proc/sys/net/ipv4/conf/default/log_martians');
    const before = await ofHost();
    await apply(kind, placeIn(own.sandbox), { sysctls: [{ path, value: '1' }] });
    expect(await own.sandbox.sh(`cat /proc/sys/${path}`)).toBe('1');
    expect(await own.sandbox.sh('cat /proc/sys/net/ipv4/conf/default/log_martians')).toBe(before);
    expect(await ofHost()).toBe(before);
  });

  it('has them before it is up', async () => {
    // The kernel generates a link-local address when the interface comes up, unless it is told not to before.
    const sysctls = [{ path: 'net/ipv6/conf/eth100/addr_gen_mode', value: '1' }];
    await apply(kind, placeIn(own.sandbox), { sysctls });
    const link = await whole(own.sandbox, 'eth100');
    expect(link?.flags).toContain('UP');
    expect(link?.addr_info).toHaveLength(2);
  });

  it('has a link-local address, as one that the engine moves', async () => {
    await apply(kind, placeIn(own.sandbox));
    expect((await whole(own.sandbox, 'eth100'))?.addr_info).toContainEqual(
      expect.objectContaining({ local: 'fe80::42:c6ff:fe12:9', scope: 'link' }),
    );
  });

  it('is refused with the words of the kernel for a parameter that it does not take', async () => {
    const sysctls = [{ path: 'net/ipv4/conf/eth100/log_martians', value: 'x' }];
    await expect(apply(kind, placeIn(own.sandbox), { sysctls })).rejects.toMatchObject({
      code: 'KERNEL',
      what: expect.stringMatching(/eth100.*container web.*EINVAL/),
    });
  });

  it('is the same when all of it is done a second time', async () => {
    await apply(kind, placeIn(own.sandbox));
    const before = [await whole(own.sandbox, 'eth100'), await namesIn(own.host)];
    await apply(kind, placeIn(own.sandbox));
    expect([await whole(own.sandbox, 'eth100'), await namesIn(own.host)]).toEqual(before);
  });

  it('is not made over one of the same name that is somebody else’s: LINK_TAKEN', async () => {
    await own.sandbox.ip('link', 'add', 'eth100', 'type', 'bridge');
    const before = await whole(own.sandbox, 'eth100');
    const place = placeIn(own.sandbox);
    await expect(apply(kind, place)).rejects.toMatchObject({ code: 'LINK_TAKEN' });
    await own.kernel.apply([kind.removal(place)], { context: 'container web', teardown: true });
    await own.kernel.apply([kind.removal(place)], { context: 'container web', teardown: true });
    expect(await whole(own.sandbox, 'eth100')).toEqual(before);
    expect(await namesIn(own.host)).toHaveLength(HOST.length);
  });

  it('is away as soon as somebody looks again, with its routes', async () => {
    const place = placeIn(own.sandbox);
    await apply(kind, place);
    expect((await own.kernel.viewSandbox(place.sandbox, [4, 6]))?.destinations).toContain('198.18.0.0/24');
    await own.kernel.apply([kind.removal(place)], { context: 'container web', teardown: true });
    const view = await own.kernel.viewSandbox(place.sandbox, [4, 6]);
    expect(view?.links).toEqual([]);
    expect(view?.destinations).toEqual([]);
  });

  it('may come back under the same name at once', async () => {
    const place = placeIn(own.sandbox);
    const steps = [...kind.steps(place), kind.removal(place)];
    for (let round = 0; round < 3; round++) {
      await own.kernel.apply(steps, { context: 'container web' });
      await own.kernel.viewSandbox(place.sandbox, [4, 6]);
    }
    await own.kernel.apply(kind.steps(place), { context: 'container web' });
    expect(await whole(own.sandbox, 'eth100')).toMatchObject({ address: MAC });
  });
});

describe('a macvlan in mode passthru', () => {
  const link = (more = {}) => placedMacvlan(placeIn(own.sandbox), { macvlanMode: 'passthru', ...more });
  const end = (mac: string) => endAt(placeIn(own.sandbox), { ...OF_MACVLAN, mac });
  const apply = (mac: string) =>
    own.kernel.apply(
      [
        { op: 'link.add', link: link({ mac }) },
        { op: 'end.set', end: end(mac) },
      ],
      { context: 'container web' },
    );

  it('has the MAC of its parent, where that is what it is to have', async () => {
    const mac = (await own.rtnl.link('tp0'))?.mac ?? '';
    await apply(mac);
    expect(await whole(own.sandbox, 'eth100')).toMatchObject({ address: mac, ifalias: MARK });
  });

  it('lends its own to the parent, where it is given one', async () => {
    await apply(MAC);
    expect(await whole(own.sandbox, 'eth100')).toMatchObject({ address: MAC, ifalias: MARK });
    expect(await own.rtnl.link('tp0')).toMatchObject({ mac: MAC });
  });

  it('is the same when it is made a second time', async () => {
    const mac = (await own.rtnl.link('tp0'))?.mac ?? '';
    await apply(mac);
    const before = await whole(own.sandbox, 'eth100');
    await apply(mac);
    expect(await whole(own.sandbox, 'eth100')).toEqual(before);
  });
});

describe('a container', () => {
  it('is reached by its new interface at once, in both families', async () => {
    const place = placeIn(own.sandbox);
    await own.host.sh('ip addr add 198.18.0.1/24 dev tb0; ip addr add 2001:db8::1/64 dev tb0 nodad');
    const [veth] = KINDS;
    if (veth === undefined) throw new Error('no veth');
    await apply(veth, place);
    await own.host.sh('ping -n -c1 -W2 198.18.0.9 && ping -n -c1 -W2 2001:db8::9');
    await own.sandbox.sh('ping -n -c1 -W2 198.18.0.1 && ping -n -c1 -W2 2001:db8::1');
  });
});
