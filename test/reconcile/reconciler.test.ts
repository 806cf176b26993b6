import { describe, expect, it, vi } from 'vitest';
import { bridgeName, containerLinkName, portName, shimName } from '../../src/host-state/names.ts';
import { Reconciler } from '../../src/reconcile/reconciler.ts';
import { rejection } from '../driver/refusal.ts';
import { attach, endpointOn, FakeCall, HOST, join, NETWORKS, sandboxOf, World } from '../driver/world.ts';
import { logLines } from './log-lines.ts';
import { reconcilerOf, stepsLeft } from './restore.ts';

const BRIDGE = bridgeName(NETWORKS.nat.networkId);
const { endpointId } = endpointOn('lan', 1);

describe('restored', () => {
  it('runs once, whoever asks, and says so in the log', async () => {
    const world = new World();
    const { reconciler, lines } = reconcilerOf(world);
    await Promise.all([reconciler.restored(), reconciler.restored()]);
    await reconciler.restored();
    expect(world.kernel.applied).toHaveLength(1);
    expect(lines).toEqual(['info: reconcile']);
  });

  it('touches nothing while the store cannot be read, and restores when it can', async () => {
    const world = new World();
    await attach(world, 'nat', 1);
    world.kernel.model.drop(BRIDGE);
    world.restart();
    const before = world.snapshot();
    world.store.unreadable = true;
    const { reconciler } = reconcilerOf(world);
    expect(await rejection(reconciler.restored())).toMatchObject({ code: 'STATE_CORRUPT' });
    expect(world.fuse.journal).toEqual([]);
    expect(world.snapshot()).toEqual(before);
    world.store.unreadable = false;
    await reconciler.restored();
    expect(world.kernel.model.links.has(BRIDGE)).toBe(true);
    expect(await stepsLeft(world)).toEqual([]);
  });

  it('makes what is to be there also while the store cannot be written', async () => {
    const world = new World();
    await attach(world, 'nat', 1, 2);
    const [gone, left] = [1, 2].map(number => endpointOn('nat', number));
    if (gone === undefined || left === undefined) throw new Error('no endpoints');
    await world.driver.leave(left, new FakeCall());
    world.kernel.moveIn(containerLinkName(left.endpointId), sandboxOf(left.endpointId));
    world.kernel.die(sandboxOf(gone.endpointId), portName(gone.endpointId));
    world.kernel.model.drop(BRIDGE);
    world.restart();
    world.store.unwritable = true;
    await reconcilerOf(world).reconciler.restored();
    expect(world.kernel.model.links.has(BRIDGE)).toBe(true);
    expect(world.store.endpointRows.has(gone.endpointId)).toBe(true);
  });

  it('deletes the row of an endpoint that was lost while the store could not be written once it can', async () => {
    const world = new World();
    await attach(world, 'nat', 1);
    const gone = endpointOn('nat', 1);
    const { state, runner, kernel, expectations, store } = world;
    const undone = vi.fn<() => void>();
    const { log, lines } = logLines();
    const reconciler = new Reconciler({ state, runner, kernel, expectations, log, undone });
    await reconciler.restored();
    world.kernel.die(sandboxOf(gone.endpointId), portName(gone.endpointId));
    store.unwritable = true;
    await reconciler.run('a container ended');
    expect(await stepsLeft(world)).toEqual([]);
    expect(state.endpoint(gone.networkId, gone.endpointId)).toMatchObject({ lifecycle: 'deleting' });
    expect(undone).toHaveBeenCalled();
    expect(lines.filter(line => line.includes('is forgotten'))).toEqual([]);
    store.unwritable = false;
    await reconciler.run('again');
    expect(state.endpoint(gone.networkId, gone.endpointId)).toBeUndefined();
    expect(store.endpointRows.has(gone.endpointId)).toBe(false);
    expect(lines.filter(line => line.includes('is forgotten'))).toHaveLength(1);
  });

  it('takes the ports of an endpoint that was left out of a container that goes on without it', async () => {
    const world = new World();
    await attach(world, 'lan');
    const left = endpointOn('lan', 1);
    await world.driver.createEndpoint(left, new FakeCall());
    const ports = [{ protocol: 'tcp', port: 80, hostPort: 8080, hostPortEnd: 8080 }] as const;
    await join(world, left, new FakeCall(), ports);
    expect(world.kernel.model.redirects.size).toBe(1);
    await world.driver.leave(left, new FakeCall());
    world.restart();
    await reconcilerOf(world).reconciler.restored();
    expect(world.kernel.model.redirects.size).toBe(0);
    expect(world.store.endpointRows.has(left.endpointId)).toBe(false);
  });

  it('waits for calls under way, and holds up those that come after', async () => {
    const world = new World();
    const { reconciler } = reconcilerOf(world);
    const order: string[] = [];
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const before = world.runner.run(['network a'], async () => {
      await held;
      order.push('before');
    });
    const restored = reconciler.restored().then(() => order.push('restored'));
    const after = world.runner.run(['network b'], async () => order.push('after'));
    release();
    await Promise.all([before, restored, after]);
    expect(order[0]).toBe('before');
    expect(world.kernel.applied).toHaveLength(1);
    expect(order.indexOf('after')).toBeGreaterThan(0);
  });
});

describe('run', () => {
  it('is shared by those who ask while it waits, and not by those who ask while it runs', async () => {
    const world = new World();
    const { reconciler } = reconcilerOf(world);
    const { promise, resolve: release } = Promise.withResolvers<void>();
    const held = world.runner.run(['network a'], () => promise);
    const waiting = [reconciler.run('one'), reconciler.run('two')];
    const facts = world.kernel.facts.bind(world.kernel);
    const later: Promise<void>[] = [];
    world.kernel.facts = async parents => {
      world.kernel.facts = facts;
      later.push(reconciler.run('while it runs'), reconciler.run('and again'));
      return facts(parents);
    };
    release();
    await Promise.all([held, ...waiting]);
    await Promise.all(later);
    expect(world.kernel.applied).toHaveLength(2);
  });

  it('puts back what was removed by hand', async () => {
    const world = new World();
    await attach(world, 'nat', 1);
    await attach(world, 'lan', 1);
    world.kernel.cut(shimName('eth0'));
    world.kernel.cut(BRIDGE);
    world.kernel.model.firewallIntact = false;
    await reconcilerOf(world).reconciler.run('test');
    expect(await stepsLeft(world)).toEqual([]);
    expect(world.kernel.model.links.get(portName(endpointOn('nat', 1).endpointId))).toMatchObject({
      master: BRIDGE,
    });
    expect(world.kernel.model.firewallIntact).toBe(true);
  });

  it('removes what bears the mark and is not wanted, and nothing else', async () => {
    const world = new World();
    const common = { alias: 'tsnet:0000', up: true };
    world.kernel.model.links.set('tsd9', { kind: 'dummy', name: 'tsd9', ...common });
    await reconcilerOf(world).reconciler.run('test');
    expect(world.kernel.applied).toEqual([[{ op: 'link.delete', name: 'tsd9', alias: 'tsnet:0000' }]]);
    expect([...world.kernel.foreign.keys()]).toEqual(HOST.map(link => link.name));
  });

  it('leaves a link that is inside its container there', async () => {
    const world = new World();
    await attach(world, 'lan', 1);
    world.kernel.moveIn(containerLinkName(endpointId), sandboxOf(endpointId));
    world.restart();
    await reconcilerOf(world).reconciler.restored();
    expect(world.kernel.applied.at(-1)).toEqual([]);
    expect(world.state.endpointsOf(NETWORKS.lan.networkId)).toHaveLength(1);
  });

  it('forgets an endpoint that died with its container, with the way to it', async () => {
    const world = new World();
    await attach(world, 'lan', 1);
    world.kernel.moveIn(containerLinkName(endpointId), sandboxOf(endpointId));
    world.kernel.die(sandboxOf(endpointId), 'none');
    const { reconciler, lines } = reconcilerOf(world);
    await reconciler.run('test');
    expect(world.state.endpointsOf(NETWORKS.lan.networkId)).toEqual([]);
    expect(world.kernel.model.routes.size).toBe(0);
    expect(lines).toContain('info: endpoint 198.18.0.11/24 is gone with its container and is forgotten');
  });

  // An engine that boots clears one network of a dead container away after the other, and makes what is left its way out.
  it('lets the engine ask for the ports of an endpoint that is gone, until it has deleted it', async () => {
    const world = new World();
    await attach(world, 'lan', 1);
    const ref = { networkId: NETWORKS.lan.networkId, endpointId };
    const program = () => world.driver.program({ ...ref, ports: [] }, new FakeCall());
    world.kernel.die(sandboxOf(endpointId), 'none');
    await reconcilerOf(world).reconciler.run('test');
    await program();
    await world.driver.deleteEndpoint(ref, new FakeCall());
    expect(await rejection(program())).toMatchObject({ code: 'ENDPOINT_UNKNOWN' });
  });

  it('begins anew where a container goes in the middle, whose steps fail then', async () => {
    const world = new World();
    await attach(world, 'nat', 1);
    world.kernel.cut(BRIDGE);
    const apply = world.kernel.apply.bind(world.kernel);
    world.kernel.apply = async () => {
      world.kernel.apply = apply;
      const { networkId, endpointId } = endpointOn('nat', 1);
      world.kernel.die(sandboxOf(endpointId), portName(endpointId));
      expect(world.state.endpoint(networkId, endpointId)).toBeDefined();
      throw new Error('the container is gone');
    };
    const { reconciler, lines } = reconcilerOf(world);
    await reconciler.run('test');
    expect(lines.filter(line => line.startsWith('error'))).toEqual([]);
    expect(world.state.endpointsOf(NETWORKS.nat.networkId)).toEqual([]);
    expect(await stepsLeft(world)).toEqual([]);
  });

  it('does not take an endpoint for lost that comes back to the host between two looks', async () => {
    const world = new World();
    await attach(world, 'lan', 1);
    world.kernel.moveIn(containerLinkName(endpointId), sandboxOf(endpointId));
    const look = world.kernel.sandboxLinks.bind(world.kernel);
    world.kernel.sandboxLinks = async path => {
      world.kernel.moveOut(path);
      return look(path);
    };
    await reconcilerOf(world).reconciler.run('test');
    expect(world.state.endpointsOf(NETWORKS.lan.networkId)).toHaveLength(1);
  });

  it('does not make a link anew that the engine moves into its container between two looks', async () => {
    const world = new World();
    await attach(world, 'lan', 1);
    const observe = world.kernel.observe.bind(world.kernel);
    world.kernel.observe = async desired => {
      world.kernel.moveIn(containerLinkName(endpointId), sandboxOf(endpointId));
      return observe(desired);
    };
    await reconcilerOf(world).reconciler.run('test');
    expect(world.kernel.applied.at(-1)).toEqual([]);
  });

  it('keeps an endpoint that has not joined yet', async () => {
    const world = new World();
    await attach(world, 'nat');
    const request = endpointOn('nat', 1);
    await world.driver.createEndpoint(request, {
      signal: new AbortController().signal,
      changed: () => undefined,
      warn: () => undefined,
      about: () => undefined,
    });
    world.restart();
    await reconcilerOf(world).reconciler.restored();
    expect(world.state.endpointsOf(NETWORKS.nat.networkId)).toHaveLength(1);
  });

  it('keeps rows that say "to be removed" while the host still bears something of them', async () => {
    const world = new World();
    await attach(world, 'nat', 1);
    const row = world.state.network(NETWORKS.nat.networkId);
    if (row !== undefined) world.state.putNetwork({ ...row, lifecycle: 'deleting' });
    world.fuse.arm({ failAt: [1] });
    const { reconciler, lines } = reconcilerOf(world);
    await reconciler.run('test');
    expect(lines.join()).toMatch(/error: reconcile: .*KERNEL/);
    expect(world.state.network(NETWORKS.nat.networkId)?.lifecycle).toBe('deleting');
    await reconciler.run('test');
    expect(world.state.networks()).toEqual([]);
    expect(world.kernel.model.links.size).toBe(0);
  });

  it('follows the parent: its addresses, its going and its coming back', async () => {
    const world = new World();
    await attach(world, 'lan', 1);
    const { reconciler } = reconcilerOf(world);
    const eth0 = HOST.find(link => link.name === 'eth0');
    if (eth0 === undefined) throw new Error('no eth0');
    world.kernel.foreign.set('eth0', { ...eth0, addresses4: ['198.18.0.77/24'] });
    await reconciler.run('test');
    const sources = () => [...world.kernel.model.routes.values()].map(route => route.source);
    expect(sources()).toContain('198.18.0.77');
    world.kernel.removeForeign('eth0');
    await reconciler.run('test');
    expect(world.kernel.model.links.size).toBe(0);
    expect(world.state.networks()).toHaveLength(1);
    world.kernel.foreign.set('eth0', eth0);
    await reconciler.run('test');
    expect([...world.kernel.model.links.keys()]).toEqual([shimName('eth0')]);
  });

  it('keeps the bridges of the engine apart', async () => {
    const world = new World([...HOST, { name: 'docker0', kind: 'bridge' }]);
    const { reconciler } = reconcilerOf(world);
    await reconciler.run('test');
    const elements = () => [...world.kernel.model.firewall.values()];
    expect(elements()).toEqual([{ set: 'engine_bridges', key: ['docker0'] }]);
    world.kernel.foreign.delete('docker0');
    await reconciler.run('test');
    expect(elements()).toEqual([]);
  });

  it('warns where DOCKER-USER cannot be opened', async () => {
    const world = new World();
    world.kernel.dockerUser = { changed: false, problem: 'it is of the legacy kind' };
    const { reconciler, lines } = reconcilerOf(world);
    await reconciler.run('test');
    expect(lines).toContain('warn: DOCKER-USER: it is of the legacy kind');
  });

  it('tells the monitor what is expected from now on', async () => {
    const world = new World();
    await attach(world, 'nat', 1);
    world.restart();
    await reconcilerOf(world).reconciler.restored();
    expect(world.expectations.link(BRIDGE)).toEqual({ up: true });
    expect(world.expectations.has(`address ${BRIDGE} 198.18.1.1/24`)).toBe(true);
  });
});
