import { describe, expect, it } from 'vitest';
import { Attachments } from '../../src/driver/attachments.ts';
import { State } from '../../src/driver/state.ts';
import type { SandboxView } from '../../src/kernel/sandbox/view.ts';
import type { Endpoint } from '../../src/model.ts';
import { endpoint, network } from '../modes/samples.ts';
import { Fuse } from './fuse.ts';
import { MemoryStore } from './memory-store.ts';

const PATH = '/run/docker/netns/1';
const view = (...names: string[]): SandboxView => ({
  links: names,
  destinations: [],
  ipv6: true,
});

/** With a sandbox that holds some links, or cannot be looked into. */
const setUp = (there: SandboxView | undefined, options: Parameters<typeof network>[0] = {}) => {
  const state = new State(new MemoryStore(new Fuse()));
  const of = network(options);
  state.putNetwork(of);
  const looked: string[] = [];
  const kernel = {
    viewSandbox: async (path: string) => {
      looked.push(path);
      return there;
    },
  };
  const attachments = new Attachments({ kernel: kernel as never, state });
  const choose = (more: Partial<Endpoint> = {}) =>
    attachments.choose(of, endpoint(of, { joined: false, ...more }), PATH);
  return { of, state, attachments, choose, looked };
};

describe('who puts an interface into a container', () => {
  it('is asked of what is in the sandbox that Join names', async () => {
    const { choose, looked, attachments } = setUp(view('eth0'));
    expect(await choose()).toEqual({ inside: 'eth100' });
    expect(looked).toEqual([PATH]);
    expect(attachments.counts).toEqual({ byEngine: 0, inside: 1, unopened: 0 });
  });

  it('is the engine where the sandbox cannot be looked into, which is counted', async () => {
    const { choose, attachments } = setUp(undefined, { options: { attach: 'inside' } });
    expect(await choose()).toEqual({});
    expect(await choose({ ifname: 'wan0' })).toEqual({ prefix: 'wan' });
    expect(attachments.counts).toEqual({ byEngine: 2, inside: 0, unopened: 2 });
  });

  it('is the engine where the network says so, and nobody looks', async () => {
    const { choose, looked, attachments } = setUp(view('eth0'), { options: { attach: 'engine' } });
    expect(await choose({ ifname: 'wan0' })).toEqual({ prefix: 'wan' });
    expect(looked).toEqual([]);
    expect(attachments.counts).toEqual({ byEngine: 1, inside: 0, unopened: 0 });
  });

  it('is the engine for the first of a container', async () => {
    const { choose, attachments } = setUp(view());
    expect(await choose()).toEqual({});
    expect(attachments.counts).toEqual({ byEngine: 1, inside: 0, unopened: 0 });
  });

  it.each([[{ inside: 'eth100' }], [{}], [{ prefix: 'vpn' }]])(
    'is as it was when Join is repeated: %j',
    async there => {
      const { choose, looked, attachments } = setUp(view('eth0', 'eth100'));
      expect(await choose({ joined: true, sandbox: PATH, ifname: 'wan', ...there })).toEqual(there);
      expect(looked).toEqual([]);
      expect(attachments.counts).toEqual({ byEngine: 0, inside: 0, unopened: 0 });
    },
  );

  it.each<[string, SandboxView | undefined, 'auto' | 'engine', string, Partial<Endpoint>]>([
    ['as the first', view(), 'auto', 'vpn0', { prefix: 'vpn' }],
    ['as the next', view('eth0'), 'auto', 'eth1', { prefix: 'eth' }],
    ['where nobody can look', undefined, 'auto', 'vpn0', { prefix: 'vpn' }],
    ['where it always is', view('eth0'), 'engine', 'vpn0', { prefix: 'vpn' }],
  ])(
    'is the engine, by a prefix, for a name that it comes to: %s',
    async (_, there, attach, ifname, wanted) => {
      const { choose, attachments } = setUp(there, { options: { attach } });
      expect(await choose({ ifname })).toEqual(wanted);
      expect(attachments.counts).toMatchObject({ byEngine: 1, inside: 0 });
    },
  );

  it.each<[string, SandboxView | undefined, 'auto' | 'engine', string, string]>([
    ['that is not its own', view('eth0'), 'engine', 'eth7', 'eth0'],
    ['without a number', view('eth0'), 'engine', 'wan', 'wan0'],
    ['where nobody can look', undefined, 'auto', 'wan1', 'wan0'],
    ['that is there', view('eth0'), 'auto', 'eth0', 'eth1'],
  ])(
    'is nobody for a name that the engine does not come to: %s',
    async (_, there, attach, ifname, possible) => {
      const { choose, attachments } = setUp(there, { options: { attach } });
      await expect(choose({ ifname })).rejects.toMatchObject({
        code: 'OPTION_CONFLICT',
        what: `the container's interface cannot be named ${ifname}`,
        remedy: expect.stringContaining(`Name it ${possible}: `),
      });
      expect(attachments.counts).toMatchObject({ byEngine: 0, inside: 0 });
    },
  );

  it('is nobody for a name that tsnet has given to another', async () => {
    const { of, state, choose } = setUp(view('vpn0'), { options: { attach: 'inside' } });
    state.putEndpoint(endpoint(of, { id: 'f'.repeat(64), sandbox: PATH, inside: 'vpn0' }));
    await expect(choose({ ifname: 'vpn0' })).rejects.toMatchObject({ code: 'OPTION_CONFLICT' });
  });
});

describe('an endpoint beside', () => {
  const OTHER: Partial<Endpoint> = {
    id: 'f'.repeat(64),
    address4: '198.18.1.17/24',
    sandbox: PATH,
    inside: 'eth100',
  };
  const beside = async (more: Partial<Endpoint>, networkId?: string) => {
    const { of, state, choose } = setUp(view('eth0', 'eth100'));
    const place = networkId === undefined ? of : network({ id: networkId });
    state.putNetwork(place);
    state.putEndpoint(endpoint(place, { ...OTHER, ...more }));
    return choose();
  };
  const { inside: _inside, ...byEngine } = OTHER;

  it.each([
    ['of the same network', undefined],
    ['of another network', 'b'.repeat(64)],
  ])('%s, which tsnet has made there, leaves the next to the engine', async (_, networkId) => {
    expect(await beside({}, networkId)).toEqual({});
  });

  it.each<[string, Partial<Endpoint>]>([
    ['in another container', { sandbox: '/run/docker/netns/2' }],
    ['that is being removed', { lifecycle: 'deleting' }],
  ])('%s does not', async (_, more) => {
    expect(await beside(more)).toEqual({ inside: 'eth101' });
  });

  it('that the engine has moved there does not', async () => {
    const { of, state, choose } = setUp(view('eth0'));
    state.putEndpoint(endpoint(of, byEngine));
    expect(await choose()).toEqual({ inside: 'eth100' });
  });

  it('is not the endpoint itself', async () => {
    const { of, state, choose } = setUp(view('eth0'));
    state.putEndpoint(endpoint(of, { sandbox: '/elsewhere', inside: 'eth100' }));
    expect(await choose({ sandbox: '/elsewhere', inside: 'eth100' })).toEqual({ inside: 'eth100' });
  });

  it('of the name that the engine would come to is in the way, which is said before the engine fails on it', async () => {
    const { of, state, choose } = setUp(view('eth0'), { options: { attach: 'inside' } });
    state.putEndpoint(endpoint(of, { ...OTHER, inside: 'eth0' }));
    await expect(choose()).rejects.toMatchObject({ code: 'LINK_TAKEN', what: /interface eth0/ });
  });

  it('of another prefix is not', async () => {
    const { of, state, choose } = setUp(view('vpn0'), { options: { attach: 'inside' } });
    state.putEndpoint(endpoint(of, { ...OTHER, inside: 'vpn0' }));
    expect(await choose()).toEqual({});
  });
});

describe('the prefix for the engine', () => {
  it.each([
    ['eth1', ['eth0'], 'eth'],
    ['eth0', [], 'eth'],
    ['wan0', [], 'wan'],
    ['wan1', [], undefined],
    ['wan', [], undefined],
  ])('of %s beside %j', async (ifname, names, prefix) => {
    const { choose } = setUp(view(...names));
    const decision = await choose({ ifname });
    expect(decision).toEqual(prefix === undefined ? { inside: ifname } : { prefix });
  });

  it('is the wished one also where nobody can look into the sandbox, and the number would be the first', async () => {
    expect(await setUp(undefined).choose({ ifname: 'wan0' })).toEqual({ prefix: 'wan' });
  });
});
