import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createNetwork, networkId, PlaceForDaemons, type Started } from './support/place-for-daemons.ts';

const PLUGIN = '1f'.repeat(32);
const [WEB, LAN] = [networkId('a'), networkId('b')];
const create = createNetwork(WEB, 64);

let place: PlaceForDaemons;
beforeEach(async () => {
  place = await PlaceForDaemons.create();
});
afterEach(() => place[Symbol.asyncDispose]());

/** Starts a program without some of root's capabilities. */
const without = (capability: string): string[] => ['setpriv', '--bounding-set', `-${capability}`];

/** The engine registers it, and is told with each call what is wrong. */
async function answers(tsnet: Started, words: string | RegExp): Promise<void> {
  await tsnet.says('listening');
  expect(await tsnet.client.call('NetworkDriver.GetCapabilities')).toMatchObject({ Scope: 'local' });
  expect(await tsnet.client.call('IpamDriver.GetDefaultAddressSpaces')).toHaveProperty(
    'LocalDefaultAddressSpace',
  );
  const refusal = await tsnet.refusal('NetworkDriver.CreateNetwork', create);
  expect(refusal).toMatch(words);
}

const kinds = {
  'a managed plugin': () => place.plugin(PLUGIN),
  'a daemon': () => place.daemon(),
} as const;

describe.each(Object.entries(kinds))('%s', (_, start) => {
  it('without libnftables says which package has it, and works as soon as it is there', async () => {
    const library = (
      await place.sh('readlink -f "$(ldconfig -p | sed -n "s/.*libnftables.so.1.* => //p")"')
    ).trim();
    await place.sh(`mount --bind /dev/null ${library}`);
    const tsnet = start();
    await answers(tsnet, /FIREWALL: libnftables\.so\.1 cannot be loaded: .*Install the package libnftables1/);
    await tsnet.says('not started: FIREWALL');
    await place.sh(`umount ${library}`);
    expect(await tsnet.refusal('NetworkDriver.CreateNetwork', create)).toBe('');
    expect(await place.links()).toHaveLength(1);
    await tsnet.says('started after all');
  });

  it('with the state directory of a newer version names both versions and leaves it alone', async () => {
    const first = start();
    await first.says('reconcile');
    await first.client.call('NetworkDriver.CreateNetwork', create);
    await first.end();
    const links = await place.links();
    const file = join(first.state, 'tsnet.db');
    const version = (set?: number): unknown => {
      const db = new DatabaseSync(file);
      if (set !== undefined) db.exec(`PRAGMA user_version = ${set}`);
      const row = db.prepare('PRAGMA user_version').get();
      db.close();
      return row?.['user_version'];
    };
    const own = Number(version());
    version(own + 1);
    const second = start();
    const words = new RegExp(
      `STATE_TOO_NEW: the state file has version ${own + 1}, this tsnet knows ${own}\\. Run that version again`,
    );
    await answers(second, words);
    expect(await second.refusal('Tsnet.Status')).toMatch(words);
    await second.says('the host is not restored yet: TsnetError: STATE_TOO_NEW');
    expect(await place.links()).toEqual(links);
    expect(version()).toBe(own + 1);
    version(own);
    expect(await second.refusal('NetworkDriver.CreateNetwork', create)).toBe('');
    expect(await place.links()).toEqual(links);
  });

  it('with a state directory that cannot be made says so, and works as soon as it can', async () => {
    const first = start();
    await first.says('reconcile');
    await first.end('SIGKILL');
    await place.sh(`rm -r ${first.state}`);
    writeFileSync(first.state, '');
    const tsnet = start();
    await answers(tsnet, /STATE_UNWRITABLE: .*Make it writable for root/);
    await place.sh(`rm ${first.state}`);
    expect(await tsnet.refusal('NetworkDriver.CreateNetwork', create)).toBe('');
  });
});

describe('a managed plugin', () => {
  it('without CAP_NET_ADMIN says that it is missing', async () => {
    const tsnet = place.plugin(PLUGIN, { by: without('net_admin') });
    await answers(tsnet, /CAPABILITY: tsnet runs without CAP_NET_ADMIN\. .*grant the capabilities/);
    expect(await place.links()).toEqual([]);
  });

  it('without CAP_SYS_ADMIN leaves interfaces to the engine, counts them, and does not lose them', async () => {
    await place.sh('ip netns add c1; ip link add p0 up type veth peer p1; ip link set p1 up');
    const tsnet = place.plugin(PLUGIN, { by: without('sys_admin') });
    await tsnet.says('reconcile');
    const networks = { [WEB]: { attach: 'inside' }, [LAN]: { parent: 'p0' } };
    for (const [k, [id, options]] of Object.entries(networks).entries()) {
      const endpoint = { NetworkID: id, EndpointID: networkId(String(k)) };
      await tsnet.client.call('NetworkDriver.CreateNetwork', createNetwork(id, 64 + k, options));
      const Interface = { Address: `198.18.${64 + k}.7/24`, AddressIPv6: '', MacAddress: '' };
      await tsnet.client.call('NetworkDriver.CreateEndpoint', { ...endpoint, Interface, Options: {} });
      const join = { ...endpoint, SandboxKey: '/run/netns/c1', Options: {} };
      const answer = await tsnet.client.call('NetworkDriver.Join', join);
      const { SrcName } = answer['InterfaceName'] as { SrcName: string };
      // what the engine does with it
      await place.sh(`ip link set ${SrcName} netns c1`);
    }
    const attached = { byEngine: 2, inside: 0, unopened: 2 };
    expect(await tsnet.client.call('Tsnet.Status')).toMatchObject({ networks: 2, endpoints: 2, attached });
    const links = await place.links();

    // it cannot look into the container, and must not take what is there for lost
    await tsnet.end('SIGKILL');
    const next = place.plugin(PLUGIN, { by: without('sys_admin') });
    await next.says(/reconcile reason=start|not restored/);
    expect(next.log()).not.toContain('not restored');
    expect(await next.client.call('Tsnet.Status')).toMatchObject({ networks: 2, endpoints: 2 });
    expect(await place.links()).toEqual(links);
    expect(next.log()).toContain('without CAP_SYS_ADMIN containers cannot be entered');
  });

  it('with a setting that makes no sense uses the default, and says so', async () => {
    const env = { TSNET_LOG_LEVEL: 'loud', TSNET_DEADLINE: '60', TSNET_LOG_FORMAT: '' };
    const tsnet = place.plugin(PLUGIN, { env });
    await tsnet.says('reconcile');
    expect(tsnet.log()).toMatch(
      /WARN +TSNET_LOG_LEVEL=loud is left aside, info is used: Allowed choices are/,
    );
    expect(tsnet.log()).toMatch(
      /WARN +TSNET_DEADLINE=60 is left aside, 25 is used: a number of seconds above 0/,
    );
    expect(tsnet.log()).not.toContain('TSNET_LOG_FORMAT');
  });

  it('whose socket cannot be made yet goes on trying', async () => {
    mkdirSync(join(place.dir, 'plugins', PLUGIN, 'tsnet.sock'), { recursive: true });
    const tsnet = place.plugin(PLUGIN);
    await tsnet.says(/SOCKET_PATH: .* is there and is no socket/);
    await place.sh(`rmdir ${place.dir}/plugins/${PLUGIN}/tsnet.sock`);
    await tsnet.says('reconcile');
    expect(await tsnet.refusal('NetworkDriver.CreateNetwork', create)).toBe('');
  });
});

describe('a daemon', () => {
  it.each([
    [
      'in a folder that cannot be written',
      'read-only/x.sock',
      /SOCKET_PATH: no socket can be made at .*EROFS/,
    ],
    ['below a file', 'file/x.sock', /SOCKET_PATH: .*(EEXIST|ENOTDIR)/],
  ])('whose socket is %s ends with words', async (_, socket, words) => {
    mkdirSync(join(place.dir, 'read-only'));
    await place.sh(`mount -t tmpfs -o ro none ${place.dir}/read-only`);
    writeFileSync(join(place.dir, 'file'), '');
    const tsnet = place.daemon(socket);
    expect(await tsnet.ended()).toBe(1);
    expect(tsnet.log()).toMatch(words);
    expect(tsnet.log()).toMatch(/Make its folder writable for root, or name another path with --socket/);
    expect(tsnet.log()).not.toContain('    at ');
  });
});
