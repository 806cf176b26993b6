import { describe, expect, it, vi } from 'vitest';
import { containerLinkName, portName, shimName } from '../../src/host-state/names.ts';
import { macOfAddress } from '../../src/modes/mac.ts';
import type { PortBinding } from '../../src/protocol/types.ts';
import { stepsLeft } from '../reconcile/restore.ts';
import { rejection } from './refusal.ts';
import {
  attach,
  endpointOn,
  FakeCall,
  join,
  NETWORK_NAMES,
  NETWORKS,
  type NetworkName,
  sandboxOf,
  World,
} from './world.ts';

const MAC = '02:00:00:00:00:aa';

const bound = (hostPort: number, port: number): PortBinding => ({
  protocol: 'tcp',
  port,
  hostPort,
  hostPortEnd: hostPort,
});

/** A world with a network, and an endpoint on it that has not joined. */
const withEndpoint = async (name: NetworkName, more = {}) => {
  const world = new World();
  await attach(world, name);
  const endpoint = endpointOn(name, 1, more);
  await world.driver.createEndpoint(endpoint, new FakeCall());
  world.fuse.arm();
  return { world, endpoint };
};

describe('CreateEndpoint', () => {
  it('chooses a MAC by the address and returns it', async () => {
    const world = new World();
    await attach(world, 'nat');
    const endpoint = endpointOn('nat', 1);
    expect(await world.driver.createEndpoint(endpoint, new FakeCall())).toEqual({
      mac: macOfAddress(endpoint.address4 ?? ''),
    });
    expect(world.state.endpointsOf(endpoint.networkId)).toEqual([
      {
        id: endpoint.endpointId,
        networkId: endpoint.networkId,
        lifecycle: 'live',
        address4: endpoint.address4,
        address6: endpoint.address6,
        mac: macOfAddress(endpoint.address4 ?? ''),
        macFromEngine: false,
        joined: false,
        ports: [],
        published: [],
      },
    ]);
  });

  it('is refused by an id that an endpoint of another network has', async () => {
    const { world, endpoint } = await withEndpoint('nat');
    await attach(world, 'lan');
    const before = world.snapshot();
    const same = endpointOn('lan', 2, { endpointId: endpoint.endpointId });
    expect(await rejection(world.driver.createEndpoint(same, new FakeCall()))).toMatchObject({
      code: 'ENDPOINT_EXISTS',
    });
    expect(world.snapshot()).toEqual(before);
  });

  it('changes nothing where an option is refused, also for an address that another one has', async () => {
    const world = new World();
    await attach(world, 'nat', 1);
    const before = world.snapshot();
    const { address4 = '' } = endpointOn('nat', 1);
    const options = { 'com.docker.network.endpoint.ifname': 'no name' };
    const refused = endpointOn('nat', 2, { address4, options });
    expect(await rejection(world.driver.createEndpoint(refused, new FakeCall()))).toMatchObject({
      code: 'OPTION_INVALID',
    });
    expect(world.snapshot()).toEqual(before);
  });

  it('returns nothing where the request had a MAC', async () => {
    const world = new World();
    await attach(world, 'nat');
    const answer = await world.driver.createEndpoint(endpointOn('nat', 1, { mac: MAC }), new FakeCall());
    expect(answer).toEqual({});
    expect(world.state.endpointsOf(NETWORKS.nat.networkId)[0]).toMatchObject({
      mac: MAC,
      macFromEngine: true,
    });
  });

  it('gives an endpoint without addresses a MAC of its own', async () => {
    const world = new World();
    await attach(world, 'nat');
    const base = { networkId: NETWORKS.nat.networkId, ports: [], options: {} };
    const macs = await Promise.all(
      ['1', '2'].map(n => world.driver.createEndpoint({ ...base, endpointId: n.repeat(64) }, new FakeCall())),
    );
    expect(macs[0]?.mac).toMatch(/^[0-9a-f][26ae]:/);
    expect(macs[0]?.mac).not.toBe(macs[1]?.mac);
  });

  it.each(NETWORK_NAMES)('twice gives the same answer and changes nothing: %s', async name => {
    const world = new World();
    await attach(world, name);
    for (const more of [{}, { mac: MAC, endpointId: '9'.repeat(64) }]) {
      const request = endpointOn(name, 1, more);
      const first = await world.driver.createEndpoint(request, new FakeCall());
      const once = world.snapshot();
      expect(await world.driver.createEndpoint(request, new FakeCall())).toEqual(first);
      expect(world.snapshot()).toEqual(once);
    }
  });

  it.each([
    ['address', { address4: '198.18.1.99/24' }],
    ['MAC', { mac: MAC }],
  ])('of the same id with another %s: ENDPOINT_EXISTS', async (_what, more) => {
    const { world } = await withEndpoint('nat');
    const before = world.snapshot();
    const again = world.driver.createEndpoint(endpointOn('nat', 1, more), new FakeCall());
    expect(await rejection(again)).toMatchObject({ code: 'ENDPOINT_EXISTS' });
    expect(world.snapshot()).toEqual(before);
  });

  it.each([
    ['IPv4', { address4: '198.18.9.9/24' }],
    ['IPv6', { address6: '2001:db8:9::9/64' }],
  ])('with an %s address of no subnet: ADDRESS_INVALID', async (_family, more) => {
    const world = new World();
    await attach(world, 'nat');
    const call = world.driver.createEndpoint(endpointOn('nat', 1, more), new FakeCall());
    expect(await rejection(call)).toMatchObject({ code: 'ADDRESS_INVALID' });
    expect(world.state.endpointsOf(NETWORKS.nat.networkId)).toEqual([]);
  });

  it('on an unknown network, or one that is being removed: NETWORK_UNKNOWN', async () => {
    const world = new World();
    const create = () => world.driver.createEndpoint(endpointOn('nat', 1), new FakeCall());
    expect(await rejection(create())).toMatchObject({ code: 'NETWORK_UNKNOWN' });
    await attach(world, 'nat');
    const row = world.state.network(NETWORKS.nat.networkId);
    if (row !== undefined) world.state.putNetwork({ ...row, lifecycle: 'deleting' });
    expect(await rejection(create())).toMatchObject({ code: 'NETWORK_UNKNOWN' });
  });

  it('remembers nothing when the engine no longer waits, or the disk is full', async () => {
    const world = new World();
    await attach(world, 'nat');
    const late = new FakeCall();
    late.expire();
    expect(await rejection(world.driver.createEndpoint(endpointOn('nat', 1), late))).toMatchObject({
      code: 'DEADLINE',
    });
    world.fuse.arm({ failAt: [1] });
    const full = world.driver.createEndpoint(endpointOn('nat', 1), new FakeCall());
    expect(await rejection(full)).toMatchObject({ code: 'STATE_FULL' });
    expect(world.state.endpointsOf(NETWORKS.nat.networkId)).toEqual([]);
  });

  it.each(['nat', 'lan', 'guest'] as const)(
    'removes a lost endpoint whose address is given out anew: %s',
    async name => {
      const world = new World();
      await attach(world, name, 1);
      const call = new FakeCall();
      const anew = endpointOn(name, 1, { endpointId: '9'.repeat(64) });
      await world.driver.createEndpoint(anew, call);
      await join(world, anew);
      expect(call.warnings.join()).toContain('was never removed by the engine');
      expect(world.state.endpointsOf(anew.networkId).map(e => e.id)).toEqual([anew.endpointId]);
      const fresh = new World();
      await attach(fresh, name);
      await fresh.driver.createEndpoint(anew, new FakeCall());
      await join(fresh, anew);
      expect(world.snapshot()).toEqual(fresh.snapshot());
    },
  );

  it('of an id whose removal was not finished begins anew', async () => {
    const world = new World();
    await attach(world, 'nat', 1);
    const ref = endpointOn('nat', 1);
    world.fuse.arm({ failAt: [2] });
    await rejection(world.driver.deleteEndpoint(ref, new FakeCall()));
    expect(world.state.endpoint(ref.networkId, ref.endpointId)?.lifecycle).toBe('deleting');
    world.fuse.arm();
    await world.driver.createEndpoint(ref, new FakeCall());
    expect(world.state.endpoint(ref.networkId, ref.endpointId)).toMatchObject({
      lifecycle: 'live',
      joined: false,
    });
    // Nothing is on the host for an endpoint that has not joined.
    expect(world.kernel.model.links.has(portName(ref.endpointId))).toBe(false);
  });
});

describe('passthru', () => {
  const passthru = { ...NETWORKS.lan, generic: { parent: 'eth0', macvlan_mode: 'passthru' } };
  const setUp = async () => {
    const world = new World();
    await world.driver.createNetwork(passthru, new FakeCall());
    return world;
  };

  it("lends the parent's own MAC", async () => {
    const world = await setUp();
    expect(await world.driver.createEndpoint(endpointOn('lan', 1), new FakeCall())).toEqual({
      mac: '02:11:22:33:44:55',
    });
  });

  it.each([
    ['no MAC', {}],
    ['a MAC', { mac: MAC }],
  ])('has one place: PARENT_BUSY for a second endpoint with %s', async (_what, more) => {
    const world = await setUp();
    await world.driver.createEndpoint(endpointOn('lan', 1), new FakeCall());
    const second = world.driver.createEndpoint(endpointOn('lan', 2, more), new FakeCall());
    expect(await rejection(second)).toMatchObject({ code: 'PARENT_BUSY' });
    expect(world.state.endpointsOf(passthru.networkId)).toHaveLength(1);
  });

  it('has its place free again', async () => {
    const world = await setUp();
    await world.driver.createEndpoint(endpointOn('lan', 1), new FakeCall());
    await world.driver.deleteEndpoint(endpointOn('lan', 1), new FakeCall());
    await world.driver.createEndpoint(endpointOn('lan', 2), new FakeCall());
    expect(world.state.endpointsOf(passthru.networkId)).toHaveLength(1);
  });
});

describe('Join', () => {
  // What it was made of is in the first one; libnetwork itself never asks for it (moby libnetwork/endpoint.go, sbJoin).
  it.each(NETWORK_NAMES)('for another sandbox is refused, and nothing touched: %s', async name => {
    const { world, endpoint } = await withEndpoint(name);
    await join(world, endpoint);
    for (const isLeft of [false, true]) {
      if (isLeft) await world.driver.leave(endpoint, new FakeCall());
      const before = world.snapshot();
      world.fuse.arm();
      const elsewhere = { ...endpoint, sandbox: '/run/docker/netns/other' };
      expect(await rejection(world.driver.join(elsewhere, new FakeCall()))).toMatchObject({
        code: 'ENDPOINT_JOINED',
        message: expect.stringContaining(sandboxOf(endpoint.endpointId)),
      });
      expect(world.fuse.journal).toEqual([]);
      expect(world.snapshot()).toEqual(before);
    }
  });

  it('has the endpoint on the disk as joined before it changes the host', async () => {
    const { world, endpoint } = await withEndpoint('lan');
    const call = new FakeCall();
    await join(world, endpoint, call);
    expect(world.fuse.journal[0]).toMatch(/^store: endpoint .* live joined$/);
    expect(world.fuse.journal.filter(what => what.startsWith('store'))).toHaveLength(1);
    expect(call.changes).toContain(`+link ${containerLinkName(endpoint.endpointId)} (macvlan)`);
    expect(world.state.endpoint(endpoint.networkId, endpoint.endpointId)).toMatchObject({
      joined: true,
      sandbox: sandboxOf(endpoint.endpointId),
    });
  });

  it.each(NETWORK_NAMES)('twice gives the same answer and changes nothing: %s', async name => {
    const { world, endpoint } = await withEndpoint(name);
    const answer = await join(world, endpoint);
    const once = world.snapshot();
    expect(await join(world, endpoint)).toEqual(answer);
    expect(world.snapshot()).toEqual(once);
  });

  it.each(NETWORK_NAMES)('takes everything back, whichever step fails: %s', async name => {
    const measure = await withEndpoint(name);
    await join(measure.world, measure.endpoint);
    for (let at = 1; at <= measure.world.fuse.journal.length; at++) {
      const { world, endpoint } = await withEndpoint(name);
      const before = world.snapshot();
      world.fuse.arm({ failAt: [at] });
      expect((await rejection(join(world, endpoint))).code).toMatch(/^(KERNEL|STATE_FULL)$/);
      expect(world.snapshot()).toEqual(before);
      world.fuse.arm();
      await join(world, endpoint);
      expect(world.snapshot()).toEqual(measure.world.snapshot());
    }
  });

  it.each(NETWORK_NAMES)(
    'takes everything back when the engine stops waiting at any step: %s',
    async name => {
      const measure = await withEndpoint(name);
      await join(measure.world, measure.endpoint);
      for (let at = 1; at <= measure.world.fuse.journal.length; at++) {
        const { world, endpoint } = await withEndpoint(name);
        const before = world.snapshot();
        const call = new FakeCall();
        world.fuse.arm({ onEffect: count => count === at && call.expire() });
        expect(await rejection(join(world, endpoint, call))).toMatchObject({ code: 'DEADLINE' });
        expect(world.snapshot()).toEqual(before);
      }
    },
  );

  // The first answer was lost; the endpoint is as it was, so row and host must go on agreeing.
  it.each(['nat', 'lan'] as const)(
    'repeated and failing leaves row and host in agreement: %s',
    async name => {
      const { world, endpoint } = await withEndpoint(name);
      const link = (name === 'nat' ? portName : containerLinkName)(endpoint.endpointId);
      await join(world, endpoint);
      world.fuse.arm({ failAt: [2] });
      await rejection(join(world, endpoint));
      const joined = world.state.endpoint(endpoint.networkId, endpoint.endpointId)?.joined;
      expect(joined).toBe(world.kernel.model.links.has(link));
    },
  );

  it.each(NETWORK_NAMES)('with other ports leaves its link alone, also where it fails: %s', async name => {
    const joinedOnce = async () => {
      const { world, endpoint } = await withEndpoint(name);
      await join(world, endpoint, new FakeCall(), [bound(8080, 80)]);
      world.fuse.arm();
      return { world, again: () => join(world, endpoint, new FakeCall(), [bound(8081, 81)]) };
    };
    const measure = await joinedOnce();
    await measure.again();
    expect(await stepsLeft(measure.world)).toEqual([]);
    const { length } = measure.world.fuse.journal;
    expect(length).toBeGreaterThan(0);
    for (let at = 1; at <= length; at++) {
      const { world, again } = await joinedOnce();
      const before = world.snapshot();
      world.fuse.arm({ failAt: [at] });
      await rejection(again());
      expect(world.snapshot()).toEqual(before);
      expect(world.fuse.journal.filter(what => what.includes('-link'))).toEqual([]);
    }
  });

  it('of an unknown endpoint, or one that is being removed: ENDPOINT_UNKNOWN', async () => {
    const world = new World();
    await attach(world, 'nat');
    const endpoint = endpointOn('nat', 1);
    expect(await rejection(join(world, endpoint))).toMatchObject({ code: 'ENDPOINT_UNKNOWN' });
    await world.driver.createEndpoint(endpoint, new FakeCall());
    const row = world.state.endpoint(endpoint.networkId, endpoint.endpointId);
    if (row !== undefined) world.state.putEndpoint({ ...row, lifecycle: 'deleting' });
    expect(await rejection(join(world, endpoint))).toMatchObject({ code: 'ENDPOINT_UNKNOWN' });
  });

  it('on an unknown network: NETWORK_UNKNOWN', async () => {
    expect(await rejection(join(new World(), endpointOn('nat', 1)))).toMatchObject({
      code: 'NETWORK_UNKNOWN',
    });
  });

  it.each([
    ['guest', 'br-lan', 'BRIDGE_MISSING'],
    ['lan', 'eth0', 'PARENT_MISSING'],
  ] as const)('on %s without %s: %s', async (name, link, code) => {
    const { world, endpoint } = await withEndpoint(name);
    world.kernel.removeForeign(link);
    const before = world.snapshot();
    expect(await rejection(join(world, endpoint))).toMatchObject({ code });
    expect(world.snapshot()).toEqual(before);
  });

  it('on a parent that is down: PARENT_DOWN, with the command that mends it', async () => {
    const { world, endpoint } = await withEndpoint('lan');
    world.kernel.foreign.set('eth0', { name: 'eth0', up: false });
    expect(await rejection(join(world, endpoint))).toMatchObject({
      code: 'PARENT_DOWN',
      remedy: 'Bring it up: ip link set eth0 up.',
    });
  });

  it('warns where the host has no address to reach the container from', async () => {
    const { world, endpoint } = await withEndpoint('lan');
    world.kernel.foreign.set('eth0', { name: 'eth0', addresses6: ['2001:db8::5/64'] });
    const call = new FakeCall();
    await join(world, endpoint, call);
    expect(call.warnings).toEqual(['the host has no address on eth0 to reach 198.18.0.11 from']);
  });
});

describe('Leave', () => {
  it('remembers where the link is and touches nothing, twice as well as once', async () => {
    const world = new World();
    await attach(world, 'lan', 1);
    const ref = endpointOn('lan', 1);
    const { host } = world.snapshot() as { host: unknown };
    for (let i = 0; i < 2; i++) {
      await world.driver.leave(ref, new FakeCall());
      const row = world.state.endpoint(ref.networkId, ref.endpointId);
      expect(row).toMatchObject({ joined: true, left: true, sandbox: expect.any(String) });
      expect(world.snapshot()).toMatchObject({ host });
    }
  });

  it('of an unknown endpoint is no error', async () => {
    const world = new World();
    await world.driver.leave(endpointOn('nat', 1), new FakeCall());
    await attach(world, 'nat');
    world.fuse.arm();
    await world.driver.leave(endpointOn('nat', 1), new FakeCall());
    expect(world.fuse.journal).toEqual([]);
  });
});

describe('DeleteEndpoint', () => {
  it('of an unknown endpoint is no error', async () => {
    const world = new World();
    await world.driver.deleteEndpoint(endpointOn('nat', 1), new FakeCall());
    await attach(world, 'nat');
    world.fuse.arm();
    await world.driver.deleteEndpoint(endpointOn('nat', 1), new FakeCall());
    expect(world.fuse.journal).toEqual([]);
  });

  it.each(NETWORK_NAMES)('leaves nothing of it, twice as well as once: %s', async name => {
    const world = new World();
    await attach(world, name, 2);
    const before = world.snapshot();
    const endpoint = endpointOn(name, 1);
    await world.driver.createEndpoint(endpoint, new FakeCall());
    await join(world, endpoint);
    await world.driver.leave(endpoint, new FakeCall());
    for (let i = 0; i < 2; i++) {
      await world.driver.deleteEndpoint(endpoint, new FakeCall());
      expect(world.snapshot()).toEqual(before);
    }
  });

  it.each(NETWORK_NAMES)('goes on past a failing step, and can be finished later: %s', async name => {
    const empty = new World();
    await attach(empty, name);
    const measure = new World();
    await attach(measure, name, 1);
    measure.fuse.arm();
    await measure.driver.deleteEndpoint(endpointOn(name, 1), new FakeCall());
    const effects = measure.fuse.journal;
    expect(effects[0]).toMatch(/deleting joined$/);
    expect(effects.at(-1)).toMatch(/gone$/);
    for (let at = 1; at <= effects.length; at++) {
      const world = new World();
      await attach(world, name, 1);
      world.fuse.arm({ failAt: [at] });
      await rejection(world.driver.deleteEndpoint(endpointOn(name, 1), new FakeCall()));
      world.fuse.arm();
      await world.driver.deleteEndpoint(endpointOn(name, 1), new FakeCall());
      expect(world.snapshot()).toEqual(empty.snapshot());
    }
  });

  // DeleteNetwork failed half way, and the engine goes on with the endpoints.
  it('removes the link also where the removal of the network was not finished', async () => {
    const world = new World();
    await attach(world, 'nat', 1);
    const row = world.state.network(NETWORKS.nat.networkId);
    if (row !== undefined) world.state.putNetwork({ ...row, lifecycle: 'deleting' });
    await world.driver.deleteEndpoint(endpointOn('nat', 1), new FakeCall());
    expect(world.kernel.model.links.has(portName(endpointOn('nat', 1).endpointId))).toBe(false);
  });

  it('takes a link along that the engine has left in the sandbox: its MAC is needed by the next start', async () => {
    const world = new World();
    await attach(world, 'lan', 1);
    const { endpointId } = endpointOn('lan', 1);
    world.kernel.moveIn(containerLinkName(endpointId), sandboxOf(endpointId));
    await world.driver.leave(endpointOn('lan', 1), new FakeCall());
    await world.driver.deleteEndpoint(endpointOn('lan', 1), new FakeCall());
    expect([...(world.kernel.sandboxes.get(sandboxOf(endpointId)) ?? [])]).toEqual([]);
    // When the kernel has deleted it.
    await vi.waitFor(() => expect(world.store.endpointRows.has(endpointId)).toBe(false));
  });

  it('leaves the shim where it is', async () => {
    const world = new World();
    await attach(world, 'lan', 1);
    await world.driver.deleteEndpoint(endpointOn('lan', 1), new FakeCall());
    expect(world.kernel.model.links.has(shimName('eth0'))).toBe(true);
  });
});
