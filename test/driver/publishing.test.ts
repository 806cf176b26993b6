import { describe, expect, it } from 'vitest';
import { portName } from '../../src/host-state/names.ts';
import type { PortBinding } from '../../src/protocol/types.ts';
import { publicationsOf } from './publications.ts';
import { rejection } from './refusal.ts';
import { attach, endpointOn, FakeCall, join, type NetworkName, sandboxOf, World } from './world.ts';

const PORT: PortBinding = { protocol: 'tcp', port: 80, hostPort: 8080, hostPortEnd: 8080 };
const port = (changes: Partial<PortBinding>): PortBinding => ({ ...PORT, ...changes });

const program = (world: World, name: NetworkName, number: number, ...ports: PortBinding[]) => {
  const { networkId, endpointId } = endpointOn(name, number);
  return world.driver.program({ networkId, endpointId, ports }, new FakeCall());
};
const revoke = (world: World, name: NetworkName, number: number) =>
  world.driver.revoke(endpointOn(name, number), new FakeCall());

describe('ProgramExternalConnectivity', () => {
  it('publishes on both families, and holds the ports', async () => {
    const world = new World();
    await attach(world, 'nat', 1);
    await program(world, 'nat', 1, PORT);
    expect(publicationsOf(world)).toEqual([
      'publish4 tcp 8080 -> 198.18.1.11 80',
      'publish6 tcp 8080 -> 2001:db8:1::11 80',
    ]);
    expect([...world.kernel.model.holds.keys()]).toEqual(['tcp 0.0.0.0 8080', 'tcp :: 8080']);
  });

  it('takes thousands of ports without keeping the event loop', async () => {
    const world = new World();
    await attach(world, 'nat', 1);
    const many = Array.from({ length: 2000 }, (_, i) =>
      port({ port: 1 + i, hostPort: 10_000 + i, hostPortEnd: 10_000 + i }),
    );
    let held = 0;
    const seen: number[] = [];
    const look = () => {
      const { size } = world.kernel.model.holds;
      if (size > held) seen.push(size);
      held = size;
      if (size < 4000) setImmediate(look);
    };
    setImmediate(look);
    await program(world, 'nat', 1, ...many);
    expect(world.kernel.model.holds.size).toBe(4000);
    expect(seen.length).toBeGreaterThanOrEqual(39);
    expect(Math.max(...seen.map((size, i) => size - (seen[i - 1] ?? 0)))).toBeLessThanOrEqual(100);
  });

  it('is refused for an endpoint in no container', async () => {
    const world = new World();
    await attach(world, 'nat');
    await world.driver.createEndpoint(endpointOn('nat', 1), new FakeCall());
    expect(await rejection(program(world, 'nat', 1, PORT))).toMatchObject({ code: 'ENDPOINT_UNKNOWN' });
    expect(world.kernel.model.holds.size).toBe(0);
  });

  it('ends where another endpoint of the container keeps the port although it was told to give way', async () => {
    const world = new World();
    await attach(world, 'nat', 1);
    await program(world, 'nat', 1, PORT);
    const [first] = world.state.endpointsOf(endpointOn('nat', 1).networkId);
    if (first === undefined) throw new Error('the endpoint is gone');
    world.state.putEndpoint({ ...first, published: [] });
    const second = endpointOn('nat', 2);
    await world.driver.createEndpoint(second, new FakeCall());
    const ref = { networkId: second.networkId, endpointId: second.endpointId };
    await world.driver.join({ ...ref, sandbox: sandboxOf(first.id), ports: [] }, new FakeCall());
    expect(await rejection(program(world, 'nat', 2, PORT))).toMatchObject({ code: 'PORT_TAKEN' });
  });

  it('takes no port from a container that is gone when it is refused for something else', async () => {
    const world = new World();
    await attach(world, 'nat', 1, 2, 3);
    await program(world, 'nat', 1, PORT);
    await program(world, 'nat', 2, port({ hostPort: 8081, hostPortEnd: 8081 }));
    const gone = endpointOn('nat', 1).endpointId;
    world.kernel.die(sandboxOf(gone), portName(gone));
    const before = world.snapshot();
    const twice = port({ port: 81 });
    expect(await rejection(program(world, 'nat', 3, PORT, twice))).toMatchObject({
      code: 'PORT_TAKEN',
      what: /asked for twice/,
    });
    const ofAnother = port({ port: 81, hostPort: 8081, hostPortEnd: 8081 });
    expect(await rejection(program(world, 'nat', 3, PORT, ofAnother))).toMatchObject({ code: 'PORT_TAKEN' });
    expect(world.snapshot()).toEqual(before);
    await program(world, 'nat', 3, PORT);
    expect(publicationsOf(world)).toContain('publish4 tcp 8080 -> 198.18.1.13 80');
  });

  it('repeated changes nothing', async () => {
    const world = new World();
    await attach(world, 'nat', 1);
    await program(world, 'nat', 1, PORT);
    const before = world.snapshot();
    await program(world, 'nat', 1, PORT);
    expect(world.snapshot()).toEqual(before);
  });

  it('is durable before the firewall is touched', async () => {
    const world = new World();
    await attach(world, 'nat', 1);
    world.fuse.arm();
    await program(world, 'nat', 1, PORT);
    const journal = world.fuse.journal.join('\n');
    expect(journal.indexOf('store')).toBeLessThan(journal.indexOf('firewall'));
    expect(journal).toContain('firewall');
  });

  it('finds free ports where none is named, the same for both families', async () => {
    const world = new World();
    await attach(world, 'nat', 1, 2);
    world.kernel.taken.add('tcp :: 49152');
    await program(
      world,
      'nat',
      1,
      port({ hostPort: 0, hostPortEnd: 0 }),
      port({ port: 443, hostPort: 0, hostPortEnd: 0 }),
    );
    expect(publicationsOf(world).filter(line => line.startsWith('publish4'))).toEqual([
      'publish4 tcp 49153 -> 198.18.1.11 80',
      'publish4 tcp 49154 -> 198.18.1.11 443',
    ]);
  });

  it('takes the first free port of a range, and another one for another container', async () => {
    const world = new World();
    await attach(world, 'nat', 1, 2, 3);
    world.kernel.taken.add('tcp 0.0.0.0 7000');
    const range = port({ hostPort: 7000, hostPortEnd: 7002 });
    await program(world, 'nat', 1, range);
    await program(world, 'nat', 2, range);
    expect(publicationsOf(world).filter(line => line.startsWith('publish4'))).toEqual([
      'publish4 tcp 7001 -> 198.18.1.11 80',
      'publish4 tcp 7002 -> 198.18.1.12 80',
    ]);
    expect(await rejection(program(world, 'nat', 3, range))).toMatchObject({ code: 'PORTS_EXHAUSTED' });
  });

  it('is refused whole when one of the ports is taken, and leaves nothing', async () => {
    const world = new World();
    await attach(world, 'nat', 1);
    world.kernel.taken.add('tcp 0.0.0.0 443');
    const before = world.snapshot();
    const result = program(world, 'nat', 1, PORT, port({ port: 443, hostPort: 443, hostPortEnd: 443 }));
    expect(await rejection(result)).toMatchObject({ code: 'PORT_TAKEN' });
    expect(world.snapshot()).toEqual(before);
  });

  it('is refused for one port of the host asked for twice', async () => {
    const world = new World();
    await attach(world, 'nat', 1);
    const result = program(world, 'nat', 1, PORT, port({ port: 81 }));
    expect(await rejection(result)).toMatchObject({ code: 'PORT_TAKEN' });
  });

  it('of a second container is refused while the first runs', async () => {
    const world = new World();
    await attach(world, 'nat', 1, 2);
    await program(world, 'nat', 1, PORT);
    const before = publicationsOf(world);
    expect(await rejection(program(world, 'nat', 2, PORT))).toMatchObject({ code: 'PORT_TAKEN' });
    expect(publicationsOf(world)).toEqual(before);
  });

  it('takes over from a container that is gone without a word', async () => {
    const world = new World();
    await attach(world, 'nat', 1, 2);
    await program(world, 'nat', 1, PORT);
    const [lost] = [...world.kernel.model.links.values()].filter(link => link.alias.includes(':a1'));
    world.kernel.die(sandboxOf(endpointOn('nat', 1).endpointId), lost?.name ?? '');
    await program(world, 'nat', 2, PORT);
    expect(publicationsOf(world)).toContain('publish4 tcp 8080 -> 198.18.1.12 80');
  });

  it("takes over from the container's own endpoint on another network", async () => {
    const world = new World();
    await attach(world, 'nat', 1);
    await attach(world, 'guest');
    const other = endpointOn('guest', 1);
    await world.driver.createEndpoint(other, new FakeCall());
    const { networkId, endpointId } = other;
    const sandbox = sandboxOf(endpointOn('nat', 1).endpointId);
    await world.driver.join({ networkId, endpointId, sandbox, ports: [PORT] }, new FakeCall());
    await program(world, 'nat', 1, PORT);
    await program(world, 'guest', 1, PORT);
    expect(publicationsOf(world)).toEqual(['publish4 tcp 8080 -> 198.18.3.11 80']);
  });

  it('failing at any step leaves nothing', async () => {
    const steps = async (failAt: number[]) => {
      const world = new World();
      await attach(world, 'nat', 1);
      // as an engine does, which says the same at Join and here
      await join(world, endpointOn('nat', 1), new FakeCall(), [PORT]);
      const before = world.snapshot();
      world.fuse.arm({ failAt });
      const result = program(world, 'nat', 1, PORT);
      return { world, before, result };
    };
    const { world, result } = await steps([]);
    await result;
    const count = world.fuse.journal.length;
    expect(count).toBeGreaterThanOrEqual(3);
    for (let at = 1; at <= count; at += 1) {
      const failing = await steps([at]);
      const outcome = await failing.result.then(
        () => 'done',
        () => 'refused',
      );
      if (outcome === 'refused') expect(failing.world.snapshot(), `step ${at}`).toEqual(failing.before);
      else expect(publicationsOf(failing.world), `step ${at}`).toEqual(publicationsOf(world));
    }
  });

  it('publishes nothing on an internal network, whatever the engine says', async () => {
    const world = new World();
    await attach(world, 'closed', 1);
    await program(world, 'closed', 1, PORT);
    expect(publicationsOf(world)).toEqual([]);
    expect(world.kernel.model.holds.size).toBe(0);
  });

  it('on an unknown network: NETWORK_UNKNOWN', async () => {
    expect(await rejection(program(new World(), 'nat', 1, PORT))).toMatchObject({ code: 'NETWORK_UNKNOWN' });
  });
});

describe('the ports go', () => {
  const published = async () => {
    const world = new World();
    await attach(world, 'nat', 1);
    const before = world.snapshot();
    await program(world, 'nat', 1, PORT, port({ protocol: 'udp' }));
    return { world, before };
  };

  it('with Revoke, and the next Program brings them back', async () => {
    const { world, before } = await published();
    const during = publicationsOf(world);
    await revoke(world, 'nat', 1);
    await revoke(world, 'nat', 1);
    expect(world.kernel.model.holds.size).toBe(0);
    expect(publicationsOf(world)).toEqual([]);
    expect(JSON.stringify(world.snapshot())).toContain('"published":[]');
    expect(Object.keys(before as object)).toEqual(['host', 'store']);
    await program(world, 'nat', 1, PORT, port({ protocol: 'udp' }));
    expect(publicationsOf(world)).toEqual(during);
  });

  it.each([
    ['Leave', (world: World) => world.driver.leave(endpointOn('nat', 1), new FakeCall())],
    ['DeleteEndpoint', (world: World) => world.driver.deleteEndpoint(endpointOn('nat', 1), new FakeCall())],
    [
      'DeleteNetwork',
      (world: World) => world.driver.deleteNetwork(endpointOn('nat', 1).networkId, new FakeCall()),
    ],
  ])('with %s alone', async (_name, end) => {
    const { world } = await published();
    await end(world);
    expect(publicationsOf(world)).toEqual([]);
    expect(world.kernel.model.holds.size).toBe(0);
  });

  it('and their tracked connections with them', async () => {
    const { world } = await published();
    world.kernel.model.forgotten.length = 0;
    await revoke(world, 'nat', 1);
    expect(world.kernel.model.forgotten).toContainEqual({
      family: 4,
      protocol: 'udp',
      container: '198.18.1.11',
      containerPort: 80,
      hostPort: 8080,
    });
  });

  it('from an unknown endpoint without a word', async () => {
    const world = new World();
    await revoke(world, 'nat', 1);
    expect(world.fuse.journal).toEqual([]);
  });
});

it('an endpoint without a gateway is published at Join, for the engine says no more of it', async () => {
  const world = new World();
  await attach(world, 'lan2');
  const endpoint = endpointOn('lan2', 1);
  await world.driver.createEndpoint(endpoint, new FakeCall());
  const { networkId, endpointId } = endpoint;
  const call = new FakeCall();
  await world.driver.join(
    { networkId, endpointId, sandbox: sandboxOf(endpointId), ports: [port({ hostIp: '127.0.0.1' })] },
    call,
  );
  expect(call.warnings.join()).toContain('1 port(s) are published nowhere');
});
