import { describe, expect, it } from 'vitest';
import { containerLinkName, portName } from '../../src/host-state/names.ts';
import type { Op } from '../../src/host-state/ops.ts';
import { present } from '../../src/present.ts';
import type { CreateEndpointRequest } from '../../src/protocol/types.ts';
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

const IFNAME = 'com.docker.network.endpoint.ifname';
const SYSCTLS = 'com.docker.network.endpoint.sysctls';
/** A container that the engine has given an interface. */
const RUNNING = { links: ['eth0'], destinations: ['198.18.200.0/24'], ipv6: true };

/** A world with a network, and an endpoint on it whose container runs. */
const withEndpoint = async (name: NetworkName, more: Partial<CreateEndpointRequest> = {}) => {
  const world = new World();
  await attach(world, name);
  const endpoint = endpointOn(name, 1, more);
  await world.driver.createEndpoint(endpoint, new FakeCall());
  const sandbox = sandboxOf(endpoint.endpointId);
  world.kernel.views.set(sandbox, RUNNING);
  world.fuse.arm();
  return { world, endpoint, place: { sandbox, name: 'eth100' } };
};
const linkOf = (name: NetworkName, id: string) =>
  NETWORKS[name].networkId === NETWORKS.nat.networkId ? portName(id) : containerLinkName(id);
const opsOf = <O extends Op['op']>(world: World, op: O): Extract<Op, { op: O }>[] =>
  world.kernel.applied.flat().filter((one): one is Extract<Op, { op: O }> => one.op === op);

describe('Join of a running container', () => {
  it.each(NETWORK_NAMES)('makes the interface inside, and has the engine move nothing: %s', async name => {
    const { world, endpoint, place } = await withEndpoint(name);
    const answer = await join(world, endpoint);
    expect(answer.interfaceName).toEqual({ dstPrefix: 'eth' });
    const isPair = opsOf(world, 'link.add').some(({ link }) => link.kind === 'veth');
    expect(opsOf(world, 'end.set')).toEqual([
      {
        op: 'end.set',
        end: expect.objectContaining({
          ...place,
          ...(isPair ? {} : { madeAs: containerLinkName(endpoint.endpointId) }),
          addresses: [endpoint.address4, endpoint.address6].filter(address => address !== undefined),
          announce: { count: 3, intervalMs: 1000 },
        }),
      },
    ]);
    expect(await world.kernel.sandboxLinks(place.sandbox)).toMatchObject([{ name: 'eth100', up: true }]);
  });

  it('has the endpoint on the disk with its name before it changes the host', async () => {
    const { world, endpoint, place } = await withEndpoint('lan');
    world.fuse.arm({ crashAt: 2 });
    await expect(join(world, endpoint)).rejects.toThrow('the process');
    expect(world.store.endpointRows.get(endpoint.endpointId)).toMatchObject({
      joined: true,
      sandbox: place.sandbox,
      inside: 'eth100',
    });
    expect(world.kernel.model.links.has(containerLinkName(endpoint.endpointId))).toBe(false);
  });

  it.each(NETWORK_NAMES)('has the engine move the link where it cannot look inside: %s', async name => {
    const { world, endpoint, place } = await withEndpoint(name);
    world.kernel.views.delete(place.sandbox);
    const { interfaceName } = await join(world, endpoint);
    expect(interfaceName).toEqual({ srcName: containerLinkName(endpoint.endpointId), dstPrefix: 'eth' });
    expect(opsOf(world, 'end.set')).toEqual([]);
    expect(world.state.endpoint(endpoint.networkId, endpoint.endpointId)).not.toHaveProperty('inside');
  });

  it('honours the name and the parameters that are wished for', async () => {
    const options = { [IFNAME]: 'wan7', [SYSCTLS]: 'net.ipv4.conf.IFNAME.log_martians=1' };
    const { world, endpoint } = await withEndpoint('nat', { options });
    const answer = await join(world, endpoint);
    // Engines up to 27 that restart read the rest of the name as a number.
    expect(answer.interfaceName).toEqual({ dstPrefix: 'wan' });
    expect(opsOf(world, 'end.set')[0]?.end).toMatchObject({
      name: 'wan7',
      sysctls: [{ path: 'net/ipv4/conf/wan7/log_martians', value: '1' }],
    });
  });

  it('has the engine give the name that it comes to by itself', async () => {
    const { world, endpoint } = await withEndpoint('nat', { options: { [IFNAME]: 'vpn0' } });
    const { interfaceName } = await join(world, endpoint);
    expect(interfaceName).toEqual({ srcName: containerLinkName(endpoint.endpointId), dstPrefix: 'vpn' });
    const again = await join(world, endpoint);
    expect(again.interfaceName).toEqual(interfaceName);
  });

  it.each(NETWORK_NAMES)(
    'twice gives the same answer, the same name, and changes nothing: %s',
    async name => {
      const { world, endpoint } = await withEndpoint(name);
      const answer = await join(world, endpoint);
      const once = world.snapshot();
      for (let round = 0; round < 2; round++) {
        expect(await join(world, endpoint)).toEqual(answer);
        expect(world.snapshot()).toEqual(once);
      }
    },
  );

  it('after it was cut off half way takes the same name', async () => {
    const { world, endpoint, place } = await withEndpoint('nat');
    world.fuse.arm({ crashAt: 4 });
    await expect(join(world, endpoint)).rejects.toThrow('the process');
    world.restart();
    await join(world, endpoint);
    expect(await world.kernel.sandboxLinks(place.sandbox)).toMatchObject([{ name: 'eth100', up: true }]);
    expect(world.state.endpoint(endpoint.networkId, endpoint.endpointId)?.inside).toBe('eth100');
  });

  it.each(NETWORK_NAMES)('takes everything back, whichever step fails: %s', async name => {
    const measure = await withEndpoint(name);
    await join(measure.world, measure.endpoint);
    expect(measure.world.fuse.journal.length).toBeGreaterThan(2);
    for (let at = 1; at <= measure.world.fuse.journal.length; at++) {
      const { world, endpoint, place } = await withEndpoint(name);
      const before = world.snapshot();
      world.fuse.arm({ failAt: [at] });
      expect((await rejection(join(world, endpoint))).code).toMatch(/^(KERNEL|STATE_FULL)$/);
      expect(world.snapshot()).toEqual(before);
      expect(await world.kernel.sandboxLinks(place.sandbox)).toEqual([]);
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

  it.each(NETWORK_NAMES)(
    'is left to the engine where one inside has failed, and nobody can look there then: %s',
    async name => {
      const { world, endpoint, place } = await withEndpoint(name);
      world.fuse.arm({ failAt: [2] });
      await rejection(join(world, endpoint));
      world.fuse.arm();
      world.kernel.views.delete(place.sandbox);
      expect((await join(world, endpoint)).interfaceName).toHaveProperty('srcName');
      expect(world.state.endpoint(endpoint.networkId, endpoint.endpointId)).not.toHaveProperty('inside');
    },
  );

  it('of a second endpoint on the same container leaves it to the engine', async () => {
    const { world, endpoint, place } = await withEndpoint('nat');
    await join(world, endpoint);
    await attach(world, 'isolated');
    const second = endpointOn('isolated', 1);
    await world.driver.createEndpoint(second, new FakeCall());
    const { networkId, endpointId } = second;
    const request = { networkId, endpointId, sandbox: place.sandbox, ports: [] };
    expect((await world.driver.join(request, new FakeCall())).interfaceName).toHaveProperty('srcName');
  });

  it('into whose subnet a route of the container leads is left to the engine, which refuses it', async () => {
    const { world, endpoint, place } = await withEndpoint('nat');
    world.kernel.views.set(place.sandbox, { ...RUNNING, destinations: ['198.18.1.0/24'] });
    expect((await join(world, endpoint)).interfaceName).toHaveProperty('srcName');
  });
});

describe('CreateEndpoint', () => {
  it.each([
    [IFNAME, '../x'],
    [SYSCTLS, 'net.ipv4.ip_forward=1'],
  ])('refuses %s=%s, and remembers nothing', async (name, value) => {
    const world = new World();
    await attach(world, 'nat');
    const before = world.snapshot();
    const call = world.driver.createEndpoint(
      endpointOn('nat', 1, { options: { [name]: value } }),
      new FakeCall(),
    );
    expect(await rejection(call)).toMatchObject({
      code: 'OPTION_INVALID',
      what: expect.stringContaining(name),
    });
    expect(world.snapshot()).toEqual(before);
  });
});

describe('the end of an interface inside', () => {
  it.each(NETWORK_NAMES)('is told where it is, and leaves nothing: %s', async name => {
    const { world, endpoint, place } = await withEndpoint(name);
    const before = world.snapshot() as { host: unknown };
    await join(world, endpoint);
    await world.driver.leave(endpoint, new FakeCall());
    expect(await world.kernel.sandboxLinks(place.sandbox)).toMatchObject([{ name: 'eth100' }]);
    await world.driver.deleteEndpoint(endpoint, new FakeCall());
    expect(opsOf(world, 'link.delete')).toEqual([
      expect.objectContaining({ place, alias: expect.stringContaining(endpoint.endpointId) }),
    ]);
    expect(await world.kernel.sandboxLinks(place.sandbox)).toEqual([]);
    const after = world.snapshot() as { host: unknown };
    expect(after.host).toEqual(before.host);
    expect(world.state.endpointsOf(endpoint.networkId)).toEqual([]);
  });

  it.each(NETWORK_NAMES)('goes on past a failing step, and can be finished later: %s', async name => {
    const measure = await withEndpoint(name);
    const empty = (measure.world.snapshot() as { host: unknown }).host;
    await join(measure.world, measure.endpoint);
    measure.world.fuse.arm();
    await measure.world.driver.deleteEndpoint(measure.endpoint, new FakeCall());
    const effects = measure.world.fuse.journal.length;
    for (let at = 1; at <= effects; at++) {
      const { world, endpoint, place } = await withEndpoint(name);
      await join(world, endpoint);
      world.fuse.arm({ failAt: [at] });
      await rejection(world.driver.deleteEndpoint(endpoint, new FakeCall()));
      world.fuse.arm();
      await world.driver.deleteEndpoint(endpoint, new FakeCall());
      expect((world.snapshot() as { host: unknown }).host).toEqual(empty);
      expect(await world.kernel.sandboxLinks(place.sandbox)).toEqual([]);
    }
  });

  it('comes with that of its network, where the engine forgot it', async () => {
    const { world, endpoint, place } = await withEndpoint('lan');
    await join(world, endpoint);
    await world.driver.deleteNetwork(endpoint.networkId, new FakeCall());
    expect(opsOf(world, 'link.delete')).toContainEqual(
      expect.objectContaining({ name: linkOf('lan', endpoint.endpointId), place }),
    );
    expect(await world.kernel.sandboxLinks(place.sandbox)).toEqual([]);
  });

  it.each(['nat', 'lan'] as const)('comes when its address is given out anew: %s', async name => {
    const { world, endpoint, place } = await withEndpoint(name);
    await join(world, endpoint);
    await world.driver.createEndpoint(endpointOn(name, 1, { endpointId: '9'.repeat(64) }), new FakeCall());
    expect(opsOf(world, 'link.delete')).toEqual([expect.objectContaining({ place })]);
    expect(await world.kernel.sandboxLinks(place.sandbox)).toEqual([]);
  });
});

describe('the row of an endpoint inside a container', () => {
  it('stays until its link is gone, for nothing on the host leads there', async () => {
    const { world, endpoint } = await withEndpoint('lan');
    await join(world, endpoint);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    world.kernel.gone = () => promise;
    await world.driver.deleteEndpoint(endpoint, new FakeCall());
    expect(world.store.endpointRows.get(endpoint.endpointId)).toMatchObject({ lifecycle: 'deleting' });
    // Meanwhile its address is free for the next one.
    const next = endpointOn('lan', 2, present({ address4: endpoint.address4 }));
    const call = new FakeCall();
    await world.driver.createEndpoint(next, call);
    expect(call.warnings).toEqual([]);
    resolve(true);
    await new Promise(setImmediate);
    expect([...world.store.endpointRows.keys()]).toEqual([next.endpointId]);
  });

  it('stays where the kernel refuses, for the next reconcile', async () => {
    const { world, endpoint } = await withEndpoint('lan');
    await join(world, endpoint);
    world.kernel.gone = async () => false;
    await world.driver.deleteEndpoint(endpoint, new FakeCall());
    await new Promise(setImmediate);
    expect(world.store.endpointRows.get(endpoint.endpointId)).toMatchObject({ lifecycle: 'deleting' });
  });

  it('stays as it is where the endpoint has come anew meanwhile', async () => {
    const { world, endpoint } = await withEndpoint('lan');
    await join(world, endpoint);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    world.kernel.gone = () => promise;
    await world.driver.deleteEndpoint(endpoint, new FakeCall());
    world.kernel.gone = async () => false;
    await world.driver.createEndpoint(endpoint, new FakeCall());
    resolve(true);
    await new Promise(setImmediate);
    expect(world.store.endpointRows.get(endpoint.endpointId)).toMatchObject({ lifecycle: 'live' });
  });
});
