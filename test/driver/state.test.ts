import { describe, expect, it } from 'vitest';
import { State } from '../../src/driver/state.ts';
import { endpoint, network } from '../modes/samples.ts';
import { Fuse } from './fuse.ts';
import { MemoryStore } from './memory-store.ts';
import { rejection } from './refusal.ts';

const setUp = () => {
  const fuse = new Fuse();
  const store = new MemoryStore(fuse);
  return { fuse, store, state: new State(store) };
};
const failing = (action: () => void) => rejection((async () => action())());

describe('State', () => {
  it('shows what is in the store, endpoints by network', () => {
    const { store, state } = setUp();
    const [one, two] = [network({ id: 'a'.repeat(64) }), network({ id: 'b'.repeat(64) })];
    store.putNetwork(one);
    store.putNetwork(two);
    store.putEndpoint(endpoint(one));
    expect(state.networks()).toEqual([one, two]);
    expect(state.network(two.id)).toEqual(two);
    expect(state.endpointsOf(one.id)).toEqual([endpoint(one)]);
    expect(state.endpoint(one.id, endpoint(one).id)).toEqual(endpoint(one));
    expect(state.endpointsOf(two.id)).toEqual([]);
    expect(state.endpoint(two.id, endpoint(one).id)).toBeUndefined();
  });

  it('is empty to those who must not touch the store until it is loaded', () => {
    const { store, state } = setUp();
    store.putNetwork(network());
    expect(state.known()).toEqual([]);
    state.load();
    expect(state.known()).toEqual([network()]);
  });

  it('fails while the store cannot be read, and tries again', async () => {
    const { store, state } = setUp();
    store.putNetwork(network());
    store.unreadable = true;
    expect(await failing(() => state.networks())).toMatchObject({ code: 'STATE_CORRUPT' });
    expect(await failing(() => state.putNetwork(network()))).toMatchObject({ code: 'STATE_CORRUPT' });
    store.unreadable = false;
    expect(state.networks()).toEqual([network()]);
  });

  it('writes before it shows: what the store refuses is not seen', async () => {
    const { fuse, store, state } = setUp();
    const old = network({ name: 'old' });
    state.putNetwork(old);
    state.putEndpoint(endpoint(old));
    const writes = [
      () => state.putNetwork({ ...old, name: 'new' }),
      () => state.putNetwork(network({ id: 'b'.repeat(64) })),
      () => state.deleteNetwork(old.id),
      () => state.putEndpoint({ ...endpoint(old), joined: false }),
      () => state.putEndpoint({ ...endpoint(old), id: 'f'.repeat(64) }),
      () => state.deleteEndpoint(endpoint(old)),
    ];
    for (const write of writes) {
      fuse.arm({ failAt: [1] });
      expect(await failing(write)).toMatchObject({ code: 'STATE_FULL' });
      expect(state.networks()).toEqual([old]);
      expect(state.endpointsOf(old.id)).toEqual([endpoint(old)]);
    }
    fuse.arm();
    for (const write of writes) write();
    expect(state.networks()).toEqual([...store.networkRows.values()]);
    expect(state.network(old.id)).toBeUndefined();
  });
});
