import { beforeEach, expect, it } from 'vitest';
import { seenIn } from '../../src/orphans/in-use.ts';
import { attach, endpointOn, sandboxOf, World } from '../driver/world.ts';

const one = endpointOn('nat', 1);
let world: World;
const there = (...sandboxes: string[]) => {
  const seen = seenIn(world.state, path => sandboxes.includes(path));
  return (address: string) => seen.isInUse(address);
};

beforeEach(async () => {
  world = new World();
  await attach(world, 'nat', 1);
});

it('is an address of a container that lives, of either family', () => {
  const isInUse = there(sandboxOf(one.endpointId));
  expect(['198.18.1.11', '2001:db8:1::11', '198.18.1.12'].map(isInUse)).toEqual([true, true, false]);
});

it('is a gateway of a network', () => {
  expect(['198.18.1.1', '2001:db8:1::1'].map(there())).toEqual([true, true]);
  const { isGateway } = seenIn(world.state, () => true);
  expect(['198.18.1.1', '2001:db8:1::1', '198.18.1.11'].map(isGateway)).toEqual([true, true, false]);
});

it('is no gateway of a network any more that is to be removed', () => {
  const network = world.state.network(one.networkId);
  if (network !== undefined) world.state.putNetwork({ ...network, lifecycle: 'deleting' });
  expect(seenIn(world.state, () => true).isGateway('198.18.1.1')).toBe(false);
});

it('is none of a container that is gone, or that has left', () => {
  expect(there()('198.18.1.11')).toBe(false);
  const endpoint = world.state.endpoint(one.networkId, one.endpointId);
  if (endpoint !== undefined) world.state.putEndpoint({ ...endpoint, left: true });
  expect(there(sandboxOf(one.endpointId))('198.18.1.11')).toBe(false);
});

it('is nothing while nothing is known, and the store is not asked', () => {
  world.restart();
  world.store.unreadable = true;
  expect(there(sandboxOf(one.endpointId))('198.18.1.11')).toBe(false);
});
