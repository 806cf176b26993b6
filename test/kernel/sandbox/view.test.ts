import { readlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RT_TABLE_MAIN } from '../../../src/kernel/rtnetlink/constants.ts';
import { Rtnetlink } from '../../../src/kernel/rtnetlink/rtnetlink.ts';
import { sandboxLinks, viewSandbox } from '../../../src/kernel/sandbox/view.ts';
import { inOwnSandbox, openNamespaces, openSockets } from './own-sandbox.ts';

const own = inOwnSandbox();
/** Without link-local addresses, which come when the kernel has the time. */
const view = async () => {
  const found = await viewSandbox(own.sandbox.path, [4, 6]);
  return (
    found && {
      ...found,
      destinations: found.destinations.filter(text => !text.startsWith('fe80:')).sort(),
    }
  );
};

describe('what a sandbox holds', () => {
  it('is its loopback at first', async () => {
    expect(await view()).toEqual({ links: [], destinations: [], ipv6: true });
    expect(await sandboxLinks(own.sandbox.path)).toMatchObject([{ name: 'lo', loopback: true }]);
  });

  it('is no IPv6 where the loopback has none', async () => {
    await own.sandbox.sh('echo 1 >/proc/sys/net/ipv6/conf/lo/disable_ipv6');
    expect((await view())?.ipv6).toBe(false);
  });

  it('are its links and where its routes lead to, but for the default route', async () => {
    await own.sandbox.sh(
      `ip link add eth0 type bridge; ip link set eth0 up
       ip addr add 198.18.0.2/24 dev eth0; ip addr add 2001:db8::2/64 dev eth0 nodad
       ip route add default via 198.18.0.1; ip route add default via 2001:db8::1
       ip route add 198.18.9.0/25 via 198.18.0.1; ip route add blackhole 198.18.8.0/24
       ip route add 2001:db8:9::/48 via 2001:db8::1; ip route add 198.18.7.0/24 dev eth0 table 100`,
    );
    expect(await view()).toEqual({
      links: ['eth0'],
      destinations: ['198.18.0.0/24', '198.18.8.0/24', '198.18.9.0/25', '2001:db8:9::/48', '2001:db8::/64'],
      ipv6: true,
    });
  });

  it('is the same as the kernel tells it of a sandbox in which nothing is being deleted', async () => {
    await own.sandbox.ip('link', 'add', 'eth0', 'type', 'bridge');
    expect(await own.kernel.viewSandbox(own.sandbox.path, [4, 6])).toEqual(
      await viewSandbox(own.sandbox.path, [4, 6]),
    );
    const links = (await sandboxLinks(own.sandbox.path)) ?? [];
    expect(links.map(({ name }) => name)).toEqual([
      'lo',
      ...(viewSandbox(own.sandbox.path, [4, 6])?.links ?? []),
    ]);
  });
});

describe('a look into a sandbox', () => {
  it('leaves the process where it was, and nothing open', () => {
    const home = () => [readlinkSync('/proc/thread-self/ns/net'), openNamespaces(), openSockets()];
    const before = home();
    expect(viewSandbox(own.sandbox.path, [4, 6])).toBeDefined();
    expect(viewSandbox('/dev/null', [4, 6])).toBeUndefined();
    expect(home()).toEqual(before);
  });

  it('sees what one by way of netlink sees', async () => {
    await own.sandbox.sh(
      `for n in 1 2 3; do ip link add e$n type bridge; ip link set e$n up; ip addr add 198.18.$n.1/$((22 + n)) dev e$n; done
       ip addr add 198.18.9.1/32 dev e1; ip addr add 2001:db8:1::1/64 dev e1 nodad; ip addr add 2001:db8:2::1/127 dev e2 nodad
       ip link add e4 type bridge; ip addr add 198.18.64.1/18 dev e4`,
    );
    using rtnetlink = Rtnetlink.open(own.sandbox.path);
    const routes = (await rtnetlink.routes({ table: RT_TABLE_MAIN })).map(({ destination }) => destination);
    const found = await view();
    expect(found?.destinations).toEqual(routes.filter(text => !text.startsWith('fe80:')).sort());
    expect(found?.links).toEqual(
      (await rtnetlink.links()).map(({ name }) => name).filter(name => name !== 'lo'),
    );
  });
});

describe('what is no sandbox', () => {
  it.each(['/nowhere', '/dev/null', '/proc/self/ns/mnt', '/proc/4194304/ns/net'])(
    'holds nothing: %s',
    async path => {
      expect(await viewSandbox(path, [4, 6])).toBeUndefined();
      expect(await own.kernel.viewSandbox(path, [4, 6])).toBeUndefined();
      expect(await sandboxLinks(path)).toBeUndefined();
    },
  );
});
