import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import type { Store, StoredLease, StoredPool } from '../../src/store/types.ts';
import { ENDPOINT, NETWORK } from './samples.ts';

let root = '';
let directory = '';
let store: Store;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tsnet-store-'));
  directory = join(root, 'state');
  store = openStore(directory);
});
afterEach(() => {
  store.close();
  rmSync(root, { recursive: true });
});

const reopen = (): Store => {
  store.close();
  store = openStore(directory);
  return store;
};

const POOL: StoredPool = {
  id: 's/198.18.0.0/24/198.18.0.128/25',
  space: 's',
  pool: '198.18.0.0/24',
  subPool: '198.18.0.128/25',
  cursor: '127',
  epoch: 3,
};
const LEASE: StoredLease = { space: 's', pool: POOL.pool, address: '198.18.0.5', epoch: 3, holder: 'web' };

describe('what is put', () => {
  it('is there after the store was closed: networks and endpoints', () => {
    const bare = { ...NETWORK, id: 'pu8t6oylvjech7223filf0vjt', subnets4: [], subnets6: [] };
    store.putNetwork(NETWORK);
    store.putNetwork(bare);
    store.putEndpoint(ENDPOINT);
    expect(reopen().networks()).toEqual([NETWORK, bare]);
    expect(store.endpoints()).toEqual([ENDPOINT]);
    store.putNetwork({ ...NETWORK, lifecycle: 'deleting' });
    expect(reopen().networks()).toEqual([{ ...NETWORK, lifecycle: 'deleting' }, bare]);
    store.deleteNetwork(NETWORK.id);
    store.deleteEndpoint(ENDPOINT.id);
    store.deleteEndpoint(ENDPOINT.id);
    expect(reopen().networks()).toEqual([bare]);
    expect(store.endpoints()).toEqual([]);
  });

  it('is there after the store was closed: pools, leases and settings', () => {
    const { subPool: _, ...whole } = { ...POOL, id: 's/198.18.0.0/24', cursor: '-1' };
    const { holder: __, ...nameless } = { ...LEASE, address: '198.18.0.6' };
    store.putPool(POOL);
    store.putLease(LEASE, whole);
    store.putLease(nameless);
    store.putSetting('a', '1');
    store.putSetting('a', '2');
    reopen();
    expect(store.pools()).toEqual([whole, POOL]);
    expect([...store.leases()]).toEqual([LEASE, nameless]);
    expect(store.setting('a')).toBe('2');
    expect(store.setting('b')).toBeUndefined();
    store.deletePool(whole.id);
    store.deleteLease('s', POOL.pool, LEASE.address);
    reopen();
    expect(store.pools()).toEqual([POOL]);
    expect([...store.leases()]).toEqual([nameless]);
  });
});

it('writes a lease and its pool both or neither', () => {
  store.putPool(POOL);
  const noPool = { ...POOL, cursor: null } as unknown as StoredPool;
  expect(() => store.putLease(LEASE, noPool)).toThrow(/^STATE_CORRUPT/);
  expect([...reopen().leases()]).toEqual([]);
  expect(store.pools()).toEqual([POOL]);
});

it('touches nothing before the first call, and is for its owner only after it', () => {
  expect(existsSync(directory)).toBe(false);
  expect(store.networks()).toEqual([]);
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  for (const name of ['tsnet.db', 'tsnet.db-wal', 'lock.db']) {
    expect([name, statSync(join(directory, name)).mode & 0o777]).toEqual([name, 0o600]);
  }
});

it('can be read by others while it is open', () => {
  store.putSetting('a', '1');
  const reader = new DatabaseSync(join(directory, 'tsnet.db'), { readOnly: true });
  expect(reader.prepare('SELECT value FROM setting').all()).toEqual([{ value: '1' }]);
  expect(reader.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
  reader.close();
});

it('waits no longer than a moment for another writer, and goes on after it', () => {
  store.putSetting('a', '1');
  const other = new DatabaseSync(join(directory, 'tsnet.db'));
  other.exec('BEGIN IMMEDIATE');
  expect(() => store.putSetting('a', '2')).toThrow(/^STATE_UNWRITABLE: .*tsnet.db: database is locked/);
  other.exec('ROLLBACK');
  other.close();
  store.putSetting('a', '3');
  expect(store.setting('a')).toBe('3');
});

describe('a second store on the directory', () => {
  it('is refused until the first is closed', () => {
    store.putSetting('a', '1');
    const second = openStore(directory);
    expect(() => second.setting('a')).toThrow(`STATE_IN_USE: ${directory} is in use`);
    store.putSetting('a', '2');
    expect(() => second.putSetting('a', '3')).toThrow(/^STATE_IN_USE/);
    store.close();
    expect(second.setting('a')).toBe('2');
    second.close();
  });
});

describe('the file under an open store', () => {
  it.each(['removed', 'replaced'])('is missed when it is %s, with all that was beside it', what => {
    store.putSetting('a', '1');
    const path = join(directory, 'tsnet.db');
    for (const name of readdirSync(directory)) if (name !== 'lock.db') rmSync(join(directory, name));
    if (what === 'replaced') new DatabaseSync(path).close();
    for (let i = 0; i < 2; i++) {
      expect(() => store.putSetting('a', '2')).toThrow(`STATE_UNWRITABLE: ${path} was ${what}`);
    }
  });
});
