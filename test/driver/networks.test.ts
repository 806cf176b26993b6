import { describe, expect, it } from 'vitest';
import { bridgeName, dummyName, shimName } from '../../src/host-state/names.ts';
import type { CreateNetworkRequest } from '../../src/protocol/types.ts';
import { rejection } from './refusal.ts';
import { attach, FakeCall, HOST, NETWORK_NAMES, NETWORKS, World } from './world.ts';

const { nat, closed, guest, lan, lan2, isolated } = NETWORKS;

const withOptions = (
  request: CreateNetworkRequest,
  generic: Record<string, string>,
  more: Partial<CreateNetworkRequest> = {},
): CreateNetworkRequest => ({ ...request, generic, ...more });

const refusedIn = async (world: World, request: CreateNetworkRequest) => {
  const before = world.snapshot();
  world.fuse.arm();
  const error = await rejection(world.driver.createNetwork(request, new FakeCall()));
  expect(world.snapshot()).toEqual(before);
  expect(world.fuse.journal).toEqual([]);
  return error;
};

describe('GwAllocCheck', () => {
  it.each([
    [{}, false],
    [{ parent: 'eth0' }, true],
    [{ mode: 'macvlan' }, true],
  ])('of %j: the engine need not reserve a gateway: %j', async (generic, skip) => {
    const flags = { ipv4: true, ipv6: true, internal: false, generic };
    expect(await new World().driver.gwAllocCheck(flags, new FakeCall())).toEqual({
      skipIpv4: skip,
      skipIpv6: skip,
    });
  });
});

describe('CreateNetwork', () => {
  it('has the network on the disk before it changes the host, then tells what it did', async () => {
    const world = new World();
    const call = new FakeCall();
    await world.driver.createNetwork(nat, call);
    expect(world.fuse.journal[0]).toBe('store: network aaaa live');
    expect(world.fuse.journal.slice(1).filter(what => what.startsWith('store'))).toEqual([]);
    expect(call.changes).toContain(`+link ${bridgeName(nat.networkId)} (bridge)`);
    expect(call.object).toBe(`network ${nat.networkId.slice(0, 12)}`);
    expect(call.warnings).toEqual([]);
    expect(world.created).toBe(1);
    expect(world.state.network(nat.networkId)).toMatchObject({
      lifecycle: 'live',
      base: { kind: 'own', link: bridgeName(nat.networkId), type: 'bridge' },
    });
    expect(world.kernel.model.links.get(bridgeName(nat.networkId))?.up).toBe(true);
  });

  it.each([
    ['a bridge of the host', guest, { kind: 'foreign', link: 'br-lan', type: 'bridge' }],
    ['a named bridge', closed, { kind: 'own', link: 'br-closed', type: 'bridge' }],
    ['a parent', lan, { kind: 'foreign', link: 'eth0', type: 'parent' }],
    ['a dummy', isolated, { kind: 'own', link: dummyName(isolated.networkId), type: 'dummy' }],
  ])('hangs a network on %s', async (_what, request, base) => {
    const world = new World();
    await world.driver.createNetwork(request, new FakeCall());
    expect(world.state.network(request.networkId)?.base).toEqual(base);
  });

  it('takes a bridge for an isolated macvlan network where the kernel has no dummies', async () => {
    const world = new World();
    world.kernel.dummies = false;
    await world.driver.createNetwork(isolated, new FakeCall());
    expect(world.kernel.model.links.get(dummyName(isolated.networkId))?.kind).toBe('bridge');
  });

  it.each(NETWORK_NAMES)('twice is the same as once: %s', async name => {
    const world = new World();
    await world.driver.createNetwork(NETWORKS[name], new FakeCall());
    const once = world.snapshot();
    await world.driver.createNetwork(NETWORKS[name], new FakeCall());
    expect(world.snapshot()).toEqual(once);
  });

  it('again mends what was removed by hand, also after the name was learned', async () => {
    const world = new World();
    await world.driver.createNetwork(nat, new FakeCall());
    const whole = world.kernel.model.state();
    const known = world.state.network(nat.networkId);
    if (known !== undefined) world.state.putNetwork({ ...known, name: 'web' });
    world.kernel.model.drop(bridgeName(nat.networkId));
    const call = new FakeCall();
    await world.driver.createNetwork(nat, call);
    expect(world.kernel.model.state().links).toEqual(whole.links);
    expect(world.kernel.model.state().addresses).toEqual(whole.addresses);
    expect(world.state.network(nat.networkId)?.name).toBe('web');
  });

  it('removes the remains of a network of the same id before it makes it anew', async () => {
    const world = new World();
    await attach(world, 'nat', 1);
    const row = world.state.network(nat.networkId);
    if (row !== undefined) world.state.putNetwork({ ...row, lifecycle: 'deleting' });
    await world.driver.createNetwork(nat, new FakeCall());
    expect([...world.kernel.model.links.keys()]).toEqual([bridgeName(nat.networkId)]);
    expect(world.state.endpointsOf(nat.networkId)).toEqual([]);
    expect(world.state.network(nat.networkId)?.lifecycle).toBe('live');
  });

  it.each(NETWORK_NAMES)('takes everything back, whichever step fails: %s', async name => {
    const measure = new World();
    await measure.driver.createNetwork(NETWORKS[name], new FakeCall());
    const effects = measure.fuse.journal.length;
    expect(effects).toBeGreaterThan(1);
    for (let at = 1; at <= effects; at++) {
      const world = new World();
      const before = world.snapshot();
      world.fuse.arm({ failAt: [at] });
      const error = await rejection(world.driver.createNetwork(NETWORKS[name], new FakeCall()));
      expect(error.code).toMatch(/^(KERNEL|STATE_FULL|FIREWALL)$/);
      expect(world.snapshot()).toEqual(before);
      expect(world.created).toBe(0);
    }
  });

  it.each(NETWORK_NAMES)(
    'takes everything back when the engine stops waiting at any step: %s',
    async name => {
      const measure = new World();
      await measure.driver.createNetwork(NETWORKS[name], new FakeCall());
      for (let at = 1; at <= measure.fuse.journal.length; at++) {
        const world = new World();
        const before = world.snapshot();
        const call = new FakeCall();
        world.fuse.arm({ onEffect: count => count === at && call.expire() });
        expect(await rejection(world.driver.createNetwork(NETWORKS[name], call))).toMatchObject({
          code: 'DEADLINE',
        });
        expect(world.snapshot()).toEqual(before);
      }
    },
  );

  it('does nothing for an engine that no longer waits', async () => {
    const world = new World();
    const call = new FakeCall();
    call.expire();
    expect(await rejection(world.driver.createNetwork(nat, call))).toMatchObject({ code: 'DEADLINE' });
    expect(world.fuse.journal).toEqual([]);
  });

  it('says so when taking it back fails as well, and keeps the row that says what is to go', async () => {
    const world = new World();
    const call = new FakeCall();
    // store, +link, +sysctl (fails) … and the deletion of the link
    world.fuse.arm({ failAt: [4, 6, 7, 8] });
    await rejection(world.driver.createNetwork(nat, call));
    expect(call.warnings.join()).toMatch(/taking it back failed as well/);
    expect(world.state.network(nat.networkId)?.lifecycle).toBe('deleting');
    world.fuse.arm();
    await world.driver.deleteNetwork(nat.networkId, new FakeCall());
    expect(world.state.networks()).toEqual([]);
    expect(world.kernel.model.links.size).toBe(0);
  });
});

describe('CreateNetwork refuses, and changes nothing:', () => {
  it.each([
    ['an unknown option', 'OPTION_UNKNOWN', withOptions(nat, { parrent: 'eth0' }), /parent is the nearest/],
    ['a bad value', 'OPTION_INVALID', withOptions(nat, { mtu: '7' }), /whole number/],
    ['a conflict', 'OPTION_CONFLICT', withOptions(lan, { parent: 'eth0', enable_icc: 'on' }), /enable_icc/],
    ['an MTU too small for IPv6', 'OPTION_INVALID', withOptions(nat, { mtu: '1279' }), /1280/],
    [
      'a parent that is not there',
      'PARENT_MISSING',
      withOptions(lan, { parent: 'eht0' }),
      /links here are eth0, eth1, eth2, wlan0, br-lan, port0; eth0 is the nearest/,
    ],
    ['the loopback link', 'PARENT_LOOPBACK', withOptions(lan, { parent: 'lo' }), /parent lo/],
    ['a wireless parent', 'PARENT_WIFI', withOptions(lan, { parent: 'wlan0' }), /parent wlan0/],
    ['a port of a bridge', 'PARENT_BUSY', withOptions(lan, { parent: 'port0' }), /is a port of br-lan/],
    ['an MTU above the parent', 'MTU_TOO_LARGE', withOptions(lan, { parent: 'eth0', mtu: '1501' }), /1500/],
    [
      'a bridge name that is no bridge',
      'NOT_A_BRIDGE',
      withOptions(nat, { 'com.docker.network.bridge.name': 'eth0' }),
      /link eth0 is of kind hardware/,
    ],
    [
      'a gateway outside the subnet',
      'ADDRESS_INVALID',
      withOptions(
        nat,
        {},
        {
          ipv4Data: [{ addressSpace: '', pool: '198.18.1.0/24', gateway: '198.18.2.1/24', aux: {} }],
        },
      ),
      /gateway 198\.18\.2\.1\/24 is not in subnet 198\.18\.1\.0\/24/,
    ],
    [
      'an aux address outside the subnet',
      'ADDRESS_INVALID',
      withOptions(
        nat,
        {},
        { ipv4Data: [{ addressSpace: '', pool: '198.18.1.0/24', aux: { host: '198.18.2.1' } }] },
      ),
      /aux address host/,
    ],
  ] as const)('%s: %s', async (_what, code, request, words) => {
    const error = await refusedIn(new World(), request);
    expect(error.code).toBe(code);
    expect(error.what).toMatch(words);
  });

  it('a parent that carries ipvlan links', async () => {
    const world = new World([...HOST, { name: 'ipv0', kind: 'ipvlan', parent: 'eth0' }]);
    expect(await refusedIn(world, lan)).toMatchObject({ code: 'PARENT_BUSY' });
  });

  it('not for an ipvlan link whose parent has that index in another namespace', async () => {
    const world = new World([...HOST, { name: 'ipv0', kind: 'ipvlan', parent: 'eth0', parentNetnsId: 0 }]);
    await world.driver.createNetwork(lan, new FakeCall());
    expect(world.state.networks()).toHaveLength(1);
  });

  it.each([
    ['passthru beside another', lan, withOptions(lan2, { parent: 'eth0', macvlan_mode: 'passthru' })],
    ['another beside passthru', withOptions(lan, { parent: 'eth0', macvlan_mode: 'passthru' }), lan2],
  ])('%s on one parent: PARENT_BUSY', async (_what, first, second) => {
    const world = new World();
    await world.driver.createNetwork(first, new FakeCall());
    expect(await refusedIn(world, second)).toMatchObject({ code: 'PARENT_BUSY' });
  });

  it('the bridge of another tsnet network: NOT_A_BRIDGE', async () => {
    const world = new World();
    await world.driver.createNetwork(closed, new FakeCall());
    const request = withOptions(nat, { 'com.docker.network.bridge.name': 'br-closed' });
    expect(await refusedIn(world, request)).toMatchObject({ code: 'NOT_A_BRIDGE' });
  });

  it("a link of tsnet's own name that somebody made, or a marked one that nobody knows: LINK_TAKEN", async () => {
    const theirs = new World([...HOST, { name: bridgeName(nat.networkId), kind: 'bridge' }]);
    expect(await refusedIn(theirs, nat)).toMatchObject({ code: 'LINK_TAKEN' });
    const left = new World([...HOST, { name: 'br-closed', kind: 'bridge', alias: 'tsnet:0000' }]);
    expect(await refusedIn(left, closed)).toMatchObject({ code: 'LINK_TAKEN' });
  });

  it('a subnet that overlaps that of another bridge: SUBNET_OVERLAP', async () => {
    const world = new World();
    await world.driver.createNetwork(nat, new FakeCall());
    const wide = withOptions(
      closed,
      {},
      {
        internal: false,
        ipv4Data: [{ addressSpace: '', pool: '198.18.0.0/23', aux: {} }],
      },
    );
    const error = await refusedIn(world, wide);
    expect(error).toMatchObject({ code: 'SUBNET_OVERLAP' });
    expect(error.what).toContain('subnet 198.18.0.0/23 overlaps 198.18.1.0/24 of network aaaaaaaaaaaa');
  });

  it('not a subnet that a macvlan network, or one on a foreign bridge, has as well', async () => {
    const world = new World();
    for (const request of [lan, guest, nat]) await world.driver.createNetwork(request, new FakeCall());
    const onLan = withOptions(lan2, { parent: 'eth0' }, { ipv4Data: lan.ipv4Data });
    await world.driver.createNetwork(onLan, new FakeCall());
    expect(world.state.networks()).toHaveLength(4);
  });

  it('another network of the same id: NETWORK_EXISTS', async () => {
    const world = new World();
    await world.driver.createNetwork(nat, new FakeCall());
    expect(await refusedIn(world, { ...nat, internal: true })).toMatchObject({ code: 'NETWORK_EXISTS' });
    expect(await refusedIn(world, withOptions(nat, { mtu: '1400' }))).toMatchObject({
      code: 'NETWORK_EXISTS',
    });
  });
});

describe('CreateNetwork warns', () => {
  const warnings = async (request: CreateNetworkRequest) => {
    const call = new FakeCall();
    await new World().driver.createNetwork(request, call);
    return call.warnings.join('\n');
  };

  it('of a subnet that is not one of the parent', async () => {
    expect(await warnings(lan2)).toContain(
      'no subnet of 198.18.5.0/24 is one of parent eth0 (198.18.0.5/24)',
    );
    expect(await warnings(lan)).toBe('');
  });

  it('of a parent that is down', async () => {
    expect(await warnings(withOptions(lan, { parent: 'eth2' }))).toContain('parent eth2 is down');
  });
});

describe('DeleteNetwork', () => {
  it('of an unknown network is no error', async () => {
    const world = new World();
    await world.driver.deleteNetwork(nat.networkId, new FakeCall());
    expect(world.fuse.journal).toEqual([]);
  });

  it.each(NETWORK_NAMES)('leaves nothing, twice as well as once: %s', async name => {
    const world = new World();
    const before = world.snapshot();
    await attach(world, name, 1, 2);
    await world.driver.deleteNetwork(NETWORKS[name].networkId, new FakeCall());
    expect(world.snapshot()).toEqual(before);
    await world.driver.deleteNetwork(NETWORKS[name].networkId, new FakeCall());
    expect(world.snapshot()).toEqual(before);
  });

  it('says on the disk that the network is to go before it touches the host, and forgets it last', async () => {
    const world = new World();
    await attach(world, 'nat', 1);
    world.fuse.arm();
    await world.driver.deleteNetwork(nat.networkId, new FakeCall());
    expect(world.fuse.journal[0]).toBe('store: network aaaa deleting');
    expect(world.fuse.journal.at(-1)).toBe('store: network aaaa gone');
    const kernel = world.fuse.journal.map(what => what.startsWith('kernel'));
    const gone = world.fuse.journal.findIndex(what => what.endsWith('gone'));
    expect(kernel.lastIndexOf(true)).toBeLessThan(gone);
  });

  it.each(NETWORK_NAMES)('goes on past a failing step, and can be finished later: %s', async name => {
    const measure = new World();
    await attach(measure, name, 1, 2);
    measure.fuse.arm();
    await measure.driver.deleteNetwork(NETWORKS[name].networkId, new FakeCall());
    for (let at = 1; at <= measure.fuse.journal.length; at++) {
      const world = new World();
      const before = world.snapshot();
      await attach(world, name, 1, 2);
      world.fuse.arm({ failAt: [at] });
      const error = await rejection(world.driver.deleteNetwork(NETWORKS[name].networkId, new FakeCall()));
      if (error.code === 'KERNEL') {
        const steps = (w: World) => w.fuse.journal.filter(what => what.startsWith('kernel'));
        expect(steps(world)).toEqual(steps(measure));
        expect(world.state.network(NETWORKS[name].networkId)?.lifecycle).toBe('deleting');
      }
      world.fuse.arm();
      await world.driver.deleteNetwork(NETWORKS[name].networkId, new FakeCall());
      expect(world.snapshot()).toEqual(before);
    }
  });

  it('keeps the shim for the other network on the parent', async () => {
    const world = new World();
    await attach(world, 'lan', 1);
    const alone = world.snapshot();
    await attach(world, 'lan2', 1);
    await world.driver.deleteNetwork(lan2.networkId, new FakeCall());
    expect(world.snapshot()).toEqual(alone);
    await world.driver.deleteNetwork(lan.networkId, new FakeCall());
    expect(world.kernel.model.links.has(shimName('eth0'))).toBe(false);
  });

  // The kernel drops what is IPv4 of a link that is left by its last address.
  it("keeps the way to the other network's containers where the shim was numbered for this one", async () => {
    const world = new World();
    await attach(world, 'lan2', 1);
    const { routes, neighbours } = world.kernel.model.state();
    const ipv4Data = lan.ipv4Data.map(ipv4 => ({ ...ipv4, aux: { host: '198.18.0.223' } }));
    const numbered = { ...lan, ipv4Data };
    await world.driver.createNetwork(numbered, new FakeCall());
    await world.driver.deleteNetwork(numbered.networkId, new FakeCall());
    expect(routes).not.toEqual([]);
    expect(world.kernel.model.state()).toMatchObject({ routes, neighbours });
  });

  it('leaves a foreign bridge as it is', async () => {
    const world = new World();
    await attach(world, 'guest', 1);
    await world.driver.deleteNetwork(guest.networkId, new FakeCall());
    expect(world.kernel.applied.flat().filter(op => JSON.stringify(op).includes('"name":"br-lan"'))).toEqual(
      [],
    );
    expect(world.kernel.foreign.has('br-lan')).toBe(true);
  });
});
