import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cidrContains, formatAddress, parseAddress, parseCidr } from '../../src/addresses.ts';
import { Ipam } from '../../src/ipam/ipam.ts';
import type { AddressRequest, PoolRequest } from '../../src/protocol/types.ts';
import { openStore } from '../../src/store/open.ts';
import { CALL, Engine } from './engine.ts';
import { MemoryStore, unwritable } from './memory-store.ts';

const poolRequest = (pool: string | undefined, more: Partial<PoolRequest> = {}): PoolRequest => ({
  addressSpace: 'tsnet-local',
  options: {},
  v6: false,
  ...(pool === undefined ? {} : { pool }),
  ...more,
});
const ask = (poolId: string, more: Partial<AddressRequest> = {}): AddressRequest => ({
  poolId,
  gateway: false,
  options: {},
  ...more,
});
const fresh = (): Ipam => new Ipam(new MemoryStore());

describe('a pool', () => {
  it('is named by what it is', async () => {
    const ipam = fresh();
    expect(await ipam.requestPool(poolRequest('198.18.3.4/24'), CALL)).toEqual({
      poolId: 'tsnet-local/198.18.3.0/24',
      pool: '198.18.3.0/24',
      data: {},
    });
    expect(
      await ipam.requestPool(
        poolRequest('2001:DB8::/64', { subPool: '2001:db8::ff00/120', addressSpace: 'tsnet-global' }),
        CALL,
      ),
    ).toEqual({
      poolId: 'tsnet-global/2001:db8::/64/2001:db8::ff00/120',
      pool: '2001:db8::/64',
      data: {},
    });
  });

  it.each<[string, PoolRequest, RegExp]>([
    [
      'a space of others',
      poolRequest('198.18.0.0/24', { addressSpace: 'LocalDefault' }),
      /^SPACE_UNKNOWN: address space "LocalDefault"/,
    ],
    [
      'a range outside',
      poolRequest('198.18.0.0/24', { subPool: '198.18.1.0/25' }),
      /^ADDRESS_INVALID: the range 198.18.1.0\/25 does not lie/,
    ],
    ['a range that is wider', poolRequest('198.18.0.0/24', { subPool: '198.18.0.0/23' }), /^ADDRESS_INVALID/],
    [
      'a range of the other family',
      poolRequest('198.18.0.0/24', { subPool: '2001:db8::/64' }),
      /^ADDRESS_INVALID/,
    ],
    [
      'a range alone',
      poolRequest(undefined, { subPool: '198.18.0.0/25' }),
      /^ADDRESS_INVALID: the range .* without a subnet/,
    ],
    [
      'an option',
      poolRequest('198.18.0.0/24', { options: { speed: '9' } }),
      /^OPTION_UNKNOWN: IPAM option "speed" is not known/,
    ],
    [
      'one within a pool in use',
      poolRequest('198.19.0.0/25'),
      /^POOL_OVERLAP: 198.19.0.0\/25 overlaps the pool 198.19.0.0\/24/,
    ],
    ['one around a pool in use', poolRequest('198.18.0.0/15'), /^POOL_OVERLAP/],
  ])('is refused: %s', async (_, request, message) => {
    const store = new MemoryStore();
    const ipam = new Ipam(store);
    await ipam.requestPool(poolRequest('198.19.0.0/24'), CALL);
    await expect(ipam.requestPool(request, CALL)).rejects.toThrow(message);
    expect(store.pools().length).toBe(1);
  });

  it('may overlap one of the other space', async () => {
    const ipam = fresh();
    await ipam.requestPool(poolRequest('198.18.0.0/24'), CALL);
    await ipam.requestPool(poolRequest('198.18.0.0/16', { addressSpace: 'tsnet-global' }), CALL);
  });

  it('of no choice is of IPv6 when that is asked for: a /64 of one random /48, kept', async () => {
    const store = new MemoryStore();
    const one = (await new Ipam(store).requestPool(poolRequest(undefined, { v6: true }), CALL)).pool;
    const two = (await new Ipam(store).requestPool(poolRequest(undefined, { v6: true }), CALL)).pool;
    expect(one).toMatch(/^fd[0-9a-f]{2}:[0-9a-f:]+::\/64$/);
    expect(two).not.toBe(one);
    const site = { ...parseCidr(one), prefix: 48, network: (parseCidr(one).network >> 80n) << 80n };
    expect(cidrContains(site, { family: 6, value: parseCidr(two).network })).toBe(true);
    expect((await fresh().requestPool(poolRequest(undefined, { v6: true }), CALL)).pool).not.toBe(one);
  });

  it('of no choice avoids what was chosen by hand, and what has just been released', async () => {
    const ipam = fresh();
    await ipam.requestPool(poolRequest('172.28.0.0/20'), CALL);
    const { pool, poolId } = await ipam.requestPool(poolRequest(undefined), CALL);
    expect(pool).toBe('172.28.16.0/20');
    await ipam.releasePool(poolId, CALL);
    expect((await ipam.requestPool(poolRequest(undefined), CALL)).pool).toBe('172.28.32.0/20');
  });
});

describe('an address', () => {
  it.each([
    ['198.18.0.0/29', ['198.18.0.1', '198.18.0.2', '198.18.0.3', '198.18.0.4', '198.18.0.5', '198.18.0.6']],
    ['198.18.0.0/30', ['198.18.0.1', '198.18.0.2']],
    ['198.18.0.0/31', ['198.18.0.0', '198.18.0.1']],
    ['198.18.0.7/32', ['198.18.0.7']],
    ['2001:db8::/126', ['2001:db8::1', '2001:db8::2', '2001:db8::3']],
    ['2001:db8::/127', ['2001:db8::', '2001:db8::1']],
    ['2001:db8::1/128', ['2001:db8::1']],
  ])('is one of all that a host may have in %s, then none', async (pool, expected) => {
    const ipam = fresh();
    const { poolId } = await ipam.requestPool(poolRequest(pool), CALL);
    const prefix = pool.split('/')[1];
    const given: string[] = [];
    for (const _ of expected) given.push(await ipam.requestAddress(ask(poolId), CALL));
    expect(given).toEqual(expected.map(address => `${address}/${prefix}`));
    await expect(ipam.requestAddress(ask(poolId), CALL)).rejects.toThrow(
      `ADDRESSES_EXHAUSTED: the pool ${poolId.slice('tsnet-local/'.length)} has all ${expected.length} addresses taken`,
    );
  });

  it.each([
    ['198.18.0.0', 'is the network address'],
    ['198.18.0.255', 'is the broadcast address'],
    ['198.18.1.1', 'does not lie in the pool'],
    ['2001:db8::1', 'does not lie in the pool'],
  ])('is not %s', async (address, message) => {
    const ipam = fresh();
    const { poolId } = await ipam.requestPool(poolRequest('198.18.0.0/24'), CALL);
    await expect(ipam.requestAddress(ask(poolId, { address }), CALL)).rejects.toThrow(
      `ADDRESS_INVALID: ${address} ${message}`,
    );
  });

  it('is chosen within the range, and asked for outside it as well', async () => {
    const ipam = fresh();
    const { poolId } = await ipam.requestPool(
      poolRequest('198.18.0.0/24', { subPool: '198.18.0.252/30' }),
      CALL,
    );
    expect(await ipam.requestAddress(ask(poolId, { gateway: true }), CALL)).toBe('198.18.0.252/24');
    expect(await ipam.requestAddress(ask(poolId, { address: '198.18.0.9' }), CALL)).toBe('198.18.0.9/24');
    expect(await ipam.requestAddress(ask(poolId), CALL)).toBe('198.18.0.253/24');
    expect(await ipam.requestAddress(ask(poolId), CALL)).toBe('198.18.0.254/24');
    await expect(ipam.requestAddress(ask(poolId), CALL)).rejects.toThrow(
      'ADDRESSES_EXHAUSTED: the range 198.18.0.252/30 of 198.18.0.0/24 has all 3 addresses taken',
    );
  });

  it('is none where the range has only the broadcast address', async () => {
    const ipam = fresh();
    const { poolId } = await ipam.requestPool(
      poolRequest('198.18.0.0/24', { subPool: '198.18.0.255/32' }),
      CALL,
    );
    await expect(ipam.requestAddress(ask(poolId), CALL)).rejects.toThrow(
      /^ADDRESSES_EXHAUSTED: .* has no address/,
    );
  });

  it('that was released is the last to be given again, also by the next process', async () => {
    const store = new MemoryStore();
    const { poolId } = await new Ipam(store).requestPool(poolRequest('198.18.0.0/29'), CALL);
    const given: string[] = [];
    for (let i = 0; i < 8; i++) {
      const address = await new Ipam(store).requestAddress(ask(poolId), CALL);
      given.push(address);
      await new Ipam(store).releaseAddress(poolId, address.split('/')[0] ?? '', CALL);
    }
    expect(given.map(address => Number(address.slice('198.18.0.'.length, -3)))).toEqual([
      1, 2, 3, 4, 5, 6, 1, 2,
    ]);
  });

  it('that is the gateway of a network is no container’s, also where the engine has released it', async () => {
    const gateways = ['198.18.0.1', '198.18.0.3'];
    const seen = { isInUse: () => false, isGateway: (address: string) => gateways.includes(address) };
    const ipam = new Ipam(new MemoryStore(), seen);
    const { poolId } = await ipam.requestPool(poolRequest('198.18.0.0/29'), CALL);
    for (const last of [2, 4, 5, 6])
      expect(await ipam.requestAddress(ask(poolId), CALL)).toBe(`198.18.0.${last}/29`);
    await expect(ipam.requestAddress(ask(poolId), CALL)).rejects.toThrow(/^ADDRESSES_EXHAUSTED/);
    expect(await ipam.requestAddress(ask(poolId, { gateway: true }), CALL)).toBe('198.18.0.1/29');
  });

  it('is given from a pool that the store has lost', async () => {
    const store = new MemoryStore();
    const id = 'tsnet-local/198.18.0.0/24/198.18.0.64/26';
    expect(await new Ipam(store).requestAddress(ask(id), CALL)).toBe('198.18.0.64/24');
    expect(await new Ipam(store).requestAddress(ask(id), CALL)).toBe('198.18.0.65/24');
    expect(store.pools().map(pool => pool.id)).toEqual([id]);
  });

  it.each([
    'x',
    'tsnet-local/198.18.0.0/24/',
    'tsnet-local/198.18.0.1/24',
    'tsnet-local/198.18.0.0/33',
    'other/198.18.0.0/24',
    '/198.18.0.0/24',
    '',
  ])('is not given from %j', async id => {
    await expect(fresh().requestAddress(ask(id), CALL)).rejects.toThrow(`POOL_UNKNOWN: pool ${id}`);
  });
});

it('releases what it does not know without a word', async () => {
  const ipam = fresh();
  await ipam.releasePool('x', CALL);
  await ipam.releasePool('tsnet-local/198.18.0.0/24', CALL);
  await ipam.releaseAddress('x', '198.18.0.1', CALL);
  await ipam.releaseAddress('tsnet-local/198.18.0.0/24', '198.18.0.1', CALL);
  await ipam.releaseAddress('tsnet-local/198.18.0.0/24', '198.19.0.1', CALL);
  await ipam.requestPool(poolRequest('198.18.0.0/16'), CALL);
});

it('tells the failure of the store, changes nothing by it, and goes on when it is cured', async () => {
  const store = new MemoryStore();
  store.failure = unwritable();
  const ipam = new Ipam(store);
  ipam.registered();
  await expect(ipam.requestPool(poolRequest('198.18.0.0/24'), CALL)).rejects.toThrow(/^STATE_UNWRITABLE/);
  await expect(ipam.releasePool('tsnet-local/198.18.0.0/24', CALL)).rejects.toThrow(/^STATE_UNWRITABLE/);
  store.failure = undefined;
  const { poolId } = await ipam.requestPool(poolRequest('198.18.0.0/24'), CALL);
  expect(store.pools()[0]?.epoch).toBe(1);
  store.failure = unwritable();
  await expect(ipam.requestAddress(ask(poolId), CALL)).rejects.toThrow(/^STATE_UNWRITABLE/);
  store.failure = undefined;
  expect(await ipam.requestAddress(ask(poolId), CALL)).toBe('198.18.0.1/24');
  store.failure = unwritable();
  await expect(ipam.releaseAddress(poolId, '198.18.0.1', CALL)).rejects.toThrow(/^STATE_UNWRITABLE/);
  store.failure = undefined;
  await expect(ipam.requestAddress(ask(poolId, { address: '198.18.0.1' }), CALL)).rejects.toThrow(
    /^ADDRESS_TAKEN/,
  );
});

it('remembers everything in the real store', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tsnet-ipam-'));
  try {
    const before = openStore(directory);
    const network = await new Engine(before).createNetwork({ pool: '198.18.0.0/24', gateway: '198.18.0.1' });
    const held = await new Engine(before).start(network, 'web');
    before.close();
    const after = openStore(directory);
    const engine = new Engine(after);
    await expect(engine.start(network, 'b', held)).rejects.toThrow('is taken by web.');
    expect(await engine.start(network, 'b')).toBe('198.18.0.3');
    after.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
});

type Step = readonly ['choose' | 'ask' | 'gateway' | 'release' | 'restart', number];
const steps = fc.array(
  fc.tuple(
    fc.constantFrom('choose', 'choose', 'ask', 'gateway', 'release', 'restart') as fc.Arbitrary<Step[0]>,
    fc.nat(),
  ),
  {
    maxLength: 120,
    size: 'max',
  },
);

it.each([
  ['198.18.0.0/28', undefined, 1, 14],
  ['198.18.0.0/27', '198.18.0.8/29', 8, 15],
  ['2001:db8::/124', undefined, 1, 15],
])('gives addresses as a plain set would: %s, range %s', async (pool, subPool, first, last) => {
  const base = parseCidr(pool);
  const offset = (address: string): number =>
    Number(parseAddress(address.split('/')[0] ?? '').value - base.network);
  const all = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  await fc.assert(
    fc.asyncProperty(steps, async operations => {
      const store = new MemoryStore();
      let ipam = new Ipam(store);
      const request = poolRequest(pool, subPool === undefined ? {} : { subPool });
      const { poolId } = await ipam.requestPool(request, CALL);
      const taken = new Set<number>();
      let cursor = first - 1;
      for (const [operation, number] of operations) {
        const wanted = 1 + (number % 14);
        const address = formatAddress(base.family, base.network + BigInt(wanted));
        const free = all.filter(o => !taken.has(o));
        if (operation === 'choose' || operation === 'gateway') {
          const gateway = operation === 'gateway';
          const expected = gateway ? free[0] : (free.find(o => o > cursor) ?? free[0]);
          if (expected === undefined) {
            await expect(ipam.requestAddress(ask(poolId, { gateway }), CALL)).rejects.toThrow(
              /^ADDRESSES_EXHAUSTED/,
            );
            continue;
          }
          expect(offset(await ipam.requestAddress(ask(poolId, { gateway }), CALL))).toBe(expected);
          taken.add(expected);
          if (!gateway) cursor = expected;
        } else if (operation === 'ask') {
          const result = ipam.requestAddress(ask(poolId, { address }), CALL);
          if (taken.has(wanted)) await expect(result).rejects.toThrow(/^ADDRESS_TAKEN/);
          else expect(offset(await result)).toBe(wanted);
          taken.add(wanted);
        } else if (operation === 'release') {
          await ipam.releaseAddress(poolId, address, CALL);
          taken.delete(wanted);
        } else {
          ipam = new Ipam(store);
        }
      }
      expect(new Set(store.leases().map(lease => offset(lease.address)))).toEqual(taken);
    }),
    { numRuns: 60 },
  );
});
