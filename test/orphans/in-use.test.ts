import { beforeEach, expect, it } from 'vitest';
import { isAddressInUse } from '../../src/orphans/in-use.ts';
import { attach, endpointOn, sandboxOf, World } from '../driver/world.ts';

const one = endpointOn('nat', 1);
let world: World;
const there = (...sandboxes: string[]) => {
  return (address: string) => isAddressInUse(world.state, address, path => sandboxes.includes(path));
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
