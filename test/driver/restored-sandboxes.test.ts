import { describe, expect, it } from 'vitest';
import { Attachments } from '../../src/driver/attachments.ts';
import { RestoredSandboxes } from '../../src/driver/restored-sandboxes.ts';
import { State } from '../../src/driver/state.ts';
import { endpoint, network } from '../modes/samples.ts';
import { Fuse } from './fuse.ts';
import { MemoryStore } from './memory-store.ts';

const PATH = '/run/docker/netns/1';
const OTHER = '/run/docker/netns/2';

/** A container on a network, by an interface that tsnet has made there or the engine has moved. */
const setUp = (inside?: string) => {
  const store = new MemoryStore(new Fuse());
  const state = new State(store);
  const of = network();
  const one = endpoint(of, {
    joined: true,
    sandbox: PATH,
    ...(inside === undefined ? {} : { inside }),
  });
  state.putNetwork(of);
  state.putEndpoint(one);
  const gone = new Set<string>();
  const sandboxes = new RestoredSandboxes(state, path => !gone.has(path));
  return { store, state, of, one, gone, sandboxes };
};

describe('a sandbox with an interface that tsnet has made', () => {
  it('is as any other while its engine runs', () => {
    expect(setUp('eth100').sandboxes.has(PATH)).toBe(false);
  });

  it('gets no further one when an engine has started, also after that one has gone, and after a restart of tsnet', () => {
    const { store, state, one, sandboxes } = setUp('eth100');
    sandboxes.engineStarted();
    expect(sandboxes.has(PATH)).toBe(true);
    expect(sandboxes.has(OTHER)).toBe(false);
    state.deleteEndpoint(one);
    expect(sandboxes.has(PATH)).toBe(true);
    expect(new RestoredSandboxes(new State(store), () => true).has(PATH)).toBe(true);
  });

  it('is forgotten with the container, when the next engine starts', () => {
    const { state, one, gone, sandboxes } = setUp('eth100');
    sandboxes.engineStarted();
    state.deleteEndpoint(one);
    gone.add(PATH);
    sandboxes.engineStarted();
    expect(sandboxes.has(PATH)).toBe(false);
  });

  it('is made out later when the store cannot be read as the engine starts', () => {
    const { store, sandboxes } = setUp('eth100');
    store.unreadable = true;
    sandboxes.engineStarted();
    store.unreadable = false;
    expect(sandboxes.has(PATH)).toBe(true);
  });

  it('leaves further interfaces to the engine, which then counts what it has found', async () => {
    const { state, of, sandboxes } = setUp('eth100');
    const kernel = { viewSandbox: async () => ({ links: ['eth0', 'eth100'], destinations: [], ipv6: true }) };
    const attachments = new Attachments({ kernel: kernel as never, state }, sandboxes);
    sandboxes.engineStarted();
    const further = endpoint(of, { id: 'f'.repeat(64), joined: false });
    expect(await attachments.choose(of, further, PATH)).toEqual({});
    expect(await attachments.choose(of, { ...further, ifname: 'eth1' }, PATH)).toEqual({ prefix: 'eth' });
  });
});

it('a sandbox in which the engine has moved all is as any other', () => {
  const { sandboxes } = setUp();
  sandboxes.engineStarted();
  expect(sandboxes.has(PATH)).toBe(false);
});
