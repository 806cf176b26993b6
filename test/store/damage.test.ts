import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import { VERSION } from '../../src/store/schema.ts';
import type { Store } from '../../src/store/types.ts';
import { ENDPOINT, NETWORK } from './samples.ts';

const PAGE = 4096;
let directory = '';
let path = '';
let store: Store;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsnet-damage-'));
  path = join(directory, 'tsnet.db');
  const before = openStore(directory);
  before.putNetwork(NETWORK);
  before.putEndpoint(ENDPOINT);
  for (let i = 1; i < 255; i++) {
    before.putLease({
      space: 's',
      pool: '198.18.0.0/24',
      address: `198.18.0.${i}`,
      epoch: 1,
      holder: 'x'.repeat(99),
    });
  }
  before.close();
  // That there is no copy is what all of this is about; with one: restore.test.ts.
  rmSync(`${path}.good`);
  store = openStore(directory);
});
afterEach(() => {
  store.close();
  rmSync(directory, { recursive: true });
});

const edit = (change: (bytes: Buffer) => Buffer): void => writeFileSync(path, change(readFileSync(path)));
const sql = (text: string): void => {
  const db = new DatabaseSync(path);
  db.exec(text);
  db.close();
};
/** Not what would pass for a page: a constant pattern, so that a failure can be repeated. */
const noise = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, i) => (i * 151 + 43) % 251));

describe('a damaged file of which there is no copy', () => {
  it.each<[string, (bytes: Buffer) => Buffer]>([
    ['noise in the header', bytes => Buffer.concat([noise(64), bytes.subarray(64)])],
    [
      'noise in the middle',
      bytes => Buffer.concat([bytes.subarray(0, 8 * PAGE), noise(PAGE), bytes.subarray(9 * PAGE)]),
    ],
    ['a page of zeros', bytes => Buffer.from(bytes).fill(0, 8 * PAGE, 9 * PAGE)],
    ['half of it', bytes => bytes.subarray(0, bytes.length / 2)],
    ['nothing', () => Buffer.alloc(0)],
    ['text', () => Buffer.from('hello')],
  ])('%s: is told at every call, left as it is, and works once it is put back', (_, damage) => {
    copyFileSync(path, join(directory, 'backup'));
    edit(damage);
    const damaged = readFileSync(path);
    for (let i = 0; i < 2; i++) {
      expect(() => store.networks()).toThrow(/^STATE_CORRUPT: .*tsnet\.db/);
      expect(() => store.putSetting('a', '1')).toThrow(/^STATE_CORRUPT: .*tsnet\.db/);
    }
    store.close();
    expect(readFileSync(path).equals(damaged)).toBe(true);
    renameSync(join(directory, 'backup'), path);
    expect(store.networks()).toEqual([NETWORK]);
    store.putSetting('a', '1');
    expect(store.setting('a')).toBe('1');
  });

  it('is left as it is even where a write-ahead log waits to be written into it', () => {
    const writer = new DatabaseSync(path);
    writer.exec("INSERT INTO setting VALUES ('a', '1')");
    // As a process that is killed leaves them: the log unwritten.
    for (const name of ['tsnet.db', 'tsnet.db-wal'])
      copyFileSync(join(directory, name), join(directory, `${name}.copy`));
    writer.close();
    for (const name of ['tsnet.db', 'tsnet.db-wal'])
      renameSync(join(directory, `${name}.copy`), join(directory, name));
    edit(bytes => Buffer.concat([bytes.subarray(0, 8 * PAGE), noise(PAGE), bytes.subarray(9 * PAGE)]));
    const before = ['tsnet.db', 'tsnet.db-wal'].map(name => readFileSync(join(directory, name)));
    expect(() => store.networks()).toThrow(/^STATE_CORRUPT/);
    store.close();
    const after = ['tsnet.db', 'tsnet.db-wal'].map(name => readFileSync(join(directory, name)));
    expect(after.map((bytes, i) => bytes.equals(before[i] ?? Buffer.alloc(0)))).toEqual([true, true]);
  });

  it('moved away without its write-ahead log is not made again beneath it', () => {
    rmSync(path);
    writeFileSync(`${path}-wal`, 'x');
    expect(() => store.networks()).toThrow(/^STATE_CORRUPT: .* is missing, but its .*-wal is there/);
    rmSync(`${path}-wal`);
    expect(store.networks()).toEqual([]);
    expect(readdirSync(directory).sort()).toEqual([
      'lock.db',
      'tsnet.db',
      'tsnet.db-shm',
      'tsnet.db-wal',
      'tsnet.db.good',
    ]);
  });
});

describe('a record that does not decode', () => {
  it.each([
    ['network', `UPDATE network SET document = '{'`, /record of network 84795a0+ is no JSON/],
    [
      'network',
      `UPDATE network SET document = json_set(document, '$.options.mtu', 'x')`,
      /network 84795a0+ is damaged at options\.mtu/,
    ],
    [
      'network',
      `UPDATE network SET document = json_remove(document, '$.base')`,
      /network 84795a0+ is damaged at base/,
    ],
    ['endpoint', `UPDATE endpoint SET id = 'other'`, /endpoint other is that of 9fbbbc0+/],
    [
      'lease',
      `UPDATE lease SET address = '198.18.0.007' WHERE address = '198.18.0.7'`,
      /198\.18\.0\.007 of pool 198.18.0.0\/24 is damaged at address/,
    ],
    [
      'pool',
      `INSERT INTO pool VALUES ('i', 's', '198.18.0.1/24', NULL, '1', 1)`,
      /pool i is damaged at pool/,
    ],
    ['table', 'DROP TABLE lease', /no such table: lease/],
  ])('is named: %s', (_, change, message) => {
    sql(change);
    const readAll = () => [store.networks(), store.endpoints(), store.pools(), [...store.leases()]];
    expect(readAll).toThrow(/^STATE_CORRUPT/);
    expect(readAll).toThrow(message);
  });
});

it('refuses the file of a newer version, unchanged', () => {
  sql(`PRAGMA user_version = ${VERSION + 1}`);
  const before = readFileSync(path);
  expect(() => store.networks()).toThrow(
    `STATE_TOO_NEW: the state file has version ${VERSION + 1}, this tsnet knows ${VERSION}`,
  );
  expect(readFileSync(path).equals(before)).toBe(true);
});

it("refuses another program's file", () => {
  sql('PRAGMA application_id = 7');
  expect(() => store.networks()).toThrow(/^STATE_CORRUPT: .* is no state file of tsnet/);
});
