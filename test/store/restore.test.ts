import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import type { SqliteStore } from '../../src/store/sqlite-store.ts';
import { ENDPOINT, NETWORK } from './samples.ts';

const PAGE = 4096;
/** Longer than it takes a store to copy its file once nothing is written any more. */
const QUIET = 1100;

let root = '';
let directory = '';
let path = '';
let store: SqliteStore;
let logged: string[] = [];
const log = {
  error: (text: string) => void logged.push(`error ${text}`),
  warn: (text: string) => void logged.push(`warn ${text}`),
};

beforeEach(() => {
  vi.useFakeTimers();
  logged = [];
  root = mkdtempSync(join(tmpdir(), 'tsnet-restore-'));
  use(join(root, 'state'));
});
afterEach(() => {
  store.close();
  vi.useRealTimers();
  rmSync(root, { recursive: true });
});

function use(state: string): void {
  directory = state;
  path = join(state, 'tsnet.db');
  store = openStore(state, log as never);
}

const lease = (i: number) => ({
  space: 's',
  pool: '198.18.0.0/24',
  address: `198.18.0.${i}`,
  epoch: 1,
  holder: 'x'.repeat(99),
});

/** Leases: some pages' worth. */
const COUNT = 50;

function fill(from = 1, to = 1 + COUNT): void {
  store.putNetwork(NETWORK);
  store.putEndpoint(ENDPOINT);
  for (let i = from; i < to; i++) store.putLease(lease(i));
}

const contents = () => ({
  networks: store.networks(),
  endpoints: store.endpoints(),
  leases: [...store.leases()],
});

/** What a dead process leaves: the files as they are at this moment, in a directory of their own. */
function die(): void {
  const left = join(root, `left-${readdirSync(root).length}`);
  cpSync(directory, left, { recursive: true });
  rmSync(join(left, 'tsnet.db-shm'), { force: true });
  store.close();
  use(left);
}

const edit = (file: string, change: (bytes: Buffer) => Buffer): void =>
  writeFileSync(file, change(readFileSync(file)));
const noise = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, i) => (i * 151 + 43) % 251));
const inPage = (bytes: Buffer, page: number, length: number, at = 0): Buffer => {
  const damaged = Buffer.from(bytes);
  noise(length).copy(damaged, page * PAGE + at);
  return damaged;
};

const DAMAGES: [string, (bytes: Buffer) => Buffer][] = [
  ['noise in the header', bytes => inPage(bytes, 0, 64)],
  ['noise in a page', bytes => inPage(bytes, 3, PAGE)],
  [
    'another letter in a record',
    bytes => Buffer.from(bytes.toString('latin1').replaceAll('macvlanMode', 'macvlanNode'), 'latin1'),
  ],
  ['a page of zeros', bytes => Buffer.from(bytes).fill(0, 3 * PAGE, 4 * PAGE)],
  ['half of it', bytes => bytes.subarray(0, bytes.length / 2)],
  ['nothing', () => Buffer.alloc(0)],
  ['text', () => Buffer.from('hello')],
];

describe.each(DAMAGES)('a file that is damaged while tsnet is not running: %s', (_, damage) => {
  it.each([
    ['after a stop', false, () => store.close()],
    ['after a crash that left everything in the log', true, () => die()],
    [
      'after a crash some time after the last copy',
      false,
      () => {
        vi.advanceTimersByTime(QUIET);
        store.deleteLease('s', '198.18.0.0/24', '198.18.0.7');
        store.putSetting('later', '1');
        die();
      },
    ],
  ])('costs nothing %s', (_when, isInLog, end) => {
    fill();
    end();
    const before = (() => {
      // What a sound file gives.
      const sound = join(root, 'sound');
      cpSync(directory, sound, { recursive: true });
      const other = openStore(sound);
      const all = { networks: other.networks(), endpoints: other.endpoints(), leases: [...other.leases()] };
      other.close();
      return all;
    })();
    expect(before.leases.length).toBeGreaterThanOrEqual(COUNT - 1);
    // A crash before the first checkpoint leaves a file of a few pages.
    if (statSync(path).size < 8 * PAGE)
      edit(path, bytes => Buffer.concat([bytes, noise(8 * PAGE - bytes.length)]));
    edit(path, damage);
    const damaged = readFileSync(path);

    expect(contents()).toEqual(before);
    // Where all is in the log as well, the damaged page may be one that nobody reads.
    if (logged.length > 0 || !isInLog) {
      expect(logged).toEqual([
        expect.stringMatching(
          /^error STATE_CORRUPT: .*: the last good state is in use; the damaged file is kept as .*tsnet\.db\.damaged-1$/,
        ),
      ]);
      expect(readFileSync(`${path}.damaged-1`).equals(damaged)).toBe(true);
    }
    const health = { damaged: logged.map(() => `${path}.damaged-1`) };
    expect(store.health()).toEqual(health);

    // It goes on from there, and is sound at the next start.
    store.putLease(lease(255));
    store.close();
    logged = [];
    expect([...store.leases()]).toHaveLength(before.leases.length + 1);
    expect(logged).toEqual([]);
    expect(store.health()).toEqual(health);
  });
});

describe('a file that is damaged under a running tsnet', () => {
  it('is restored when it is written into next, without a call that fails', () => {
    fill();
    vi.advanceTimersByTime(QUIET);
    const before = contents();
    truncateSync(path, 2 * PAGE);
    store.putLease(lease(255));
    expect(logged).toEqual([]);
    vi.advanceTimersByTime(QUIET);
    expect(logged).toEqual([expect.stringContaining('the last good state is in use')]);
    expect(contents().leases).toHaveLength(before.leases.length + 1);
    store.putLease(lease(0));
    store.close();
    expect(contents().leases).toHaveLength(before.leases.length + 2);
  });

  it('is restored at the end of tsnet, or at its next start', () => {
    fill();
    vi.advanceTimersByTime(QUIET);
    store.putLease(lease(255));
    const before = contents();
    edit(path, bytes => inPage(bytes, 4, PAGE));
    store.close();
    expect(contents()).toEqual(before);
    expect(store.health().damaged).toHaveLength(1);
  });

  it('is put back when it is removed, with what was written since', () => {
    fill();
    vi.advanceTimersByTime(QUIET);
    store.putLease(lease(255));
    const before = contents();
    rmSync(path);
    store.putSetting('a', '1');
    expect(store.setting('a')).toBe('1');
    expect(contents()).toEqual(before);
    expect(logged).toEqual([`error STATE_CORRUPT: ${path} is missing: the last good state is in use`]);
    store.close();
    expect(contents()).toEqual(before);
    expect(store.health()).toEqual({ damaged: [] });
  });
});

it('a file that is missing at the start is put back', () => {
  fill();
  store.close();
  rmSync(path);
  expect(contents().leases).toHaveLength(COUNT);
  expect(logged).toEqual([`error STATE_CORRUPT: ${path} is missing: the last good state is in use`]);
});

it('where the log is gone as well, the last changes are missing, and that is said', () => {
  fill();
  vi.advanceTimersByTime(QUIET);
  store.putLease(lease(200));
  die();
  edit(path, bytes => inPage(bytes, 3, PAGE));
  rmSync(`${path}-wal`);
  expect(contents().leases).toHaveLength(COUNT);
  expect(logged).toEqual([
    expect.stringContaining('the last good state, which may lack the last changes, is in use'),
  ]);
});

it('where the copy is damaged as well, nothing is touched, and that is said', () => {
  fill();
  store.close();
  use(directory);
  for (const file of [path, `${path}.good`]) edit(file, bytes => inPage(bytes, 3, PAGE));
  const before = [path, `${path}.good`].map(file => readFileSync(file));
  for (let i = 0; i < 2; i++) {
    expect(() => store.networks()).toThrow(
      /^STATE_CORRUPT: .*, and its copy .*tsnet\.db\.good is damaged, too/,
    );
  }
  expect(store.health().problem).toMatch(/^STATE_CORRUPT/);
  expect([path, `${path}.good`].map(file => readFileSync(file))).toEqual(before);
  expect(readdirSync(directory).filter(name => /damaged|new/.test(name))).toEqual([]);
});

describe('the copy', () => {
  it('is made when nothing is written for a second, and not before', () => {
    fill();
    const made = () => statSync(`${path}.good`).mtimeMs;
    const before = made();
    for (let i = 0; i < 50; i++) {
      store.putLease(lease(i));
      vi.advanceTimersByTime(100);
    }
    expect(made()).toBe(before);
    expect(statSync(path).size).toBe(statSync(`${path}.good`).size);
    vi.advanceTimersByTime(QUIET);
    expect(made()).toBeGreaterThan(before);
    expect(readFileSync(path).equals(readFileSync(`${path}.good`))).toBe(true);
  });

  it('is made without waiting when the log has become long', () => {
    fill(1, 2);
    const big = 'x'.repeat(400_000);
    for (let i = 0; i < 64; i++) store.putSetting('big', `${i}${big}`);
    expect(statSync(path).size).toBeGreaterThan(big.length);
    expect(readFileSync(path).equals(readFileSync(`${path}.good`))).toBe(true);
  });

  it('waits for who reads what was before, and loses nothing meanwhile', () => {
    fill();
    vi.advanceTimersByTime(QUIET);
    const copied = readFileSync(`${path}.good`);
    const reader = new DatabaseSync(path, { readOnly: true });
    reader.exec('BEGIN');
    expect(reader.prepare('SELECT count(*) AS n FROM lease').get()).toEqual({ n: COUNT });
    store.putLease(lease(255));
    vi.advanceTimersByTime(QUIET);
    expect(readFileSync(`${path}.good`).equals(copied)).toBe(true);
    store.putLease(lease(0));
    reader.close();
    die();
    edit(path, bytes => inPage(bytes, 3, PAGE));
    expect(contents().leases).toHaveLength(COUNT + 2);
    expect(store.health().damaged).toHaveLength(1);
  });

  it('that cannot be made is told of once, leaves no wrong one behind, and is tried again', () => {
    fill();
    vi.advanceTimersByTime(QUIET);
    mkdirSync(`${path}.good.new`);
    for (let i = 0; i < 3; i++) {
      store.putSetting('a', String(i));
      vi.advanceTimersByTime(QUIET);
    }
    expect(logged).toEqual([expect.stringMatching(/^warn the state cannot be copied: .*EISDIR/)]);
    expect(existsSync(`${path}.good`)).toBe(false);
    expect(store.setting('a')).toBe('2');
    rmdirSync(`${path}.good.new`);
    vi.advanceTimersByTime(31_000);
    expect(readFileSync(path).equals(readFileSync(`${path}.good`))).toBe(true);
  });

  it('is of the file as another program has left it', () => {
    fill();
    store.close();
    const other = join(root, 'other');
    cpSync(directory, other, { recursive: true });
    use(other);
    store.putLease(lease(255));
    store.close();
    // As after `sqlite3 tsnet.db "INSERT …"`: the file is another one than the copy is of, and there is no log.
    copyFileSync(path, join(root, 'state', 'tsnet.db'));
    use(join(root, 'state'));
    rmSync(`${path}-wal`, { force: true });
    expect(contents().leases).toHaveLength(COUNT + 1);
    expect(readFileSync(path).equals(readFileSync(`${path}.good`))).toBe(true);
    expect(logged).toEqual([]);
  });
});

it('what a process had not finished when it was killed is gone after the next start', () => {
  fill(1, 2);
  store.close();
  const drafts = ['.new', '.new-wal', '.new-shm', '.good.new'].map(end => `${path}${end}`);
  for (const draft of drafts) writeFileSync(draft, 'half');
  expect(store.networks()).toEqual([NETWORK]);
  expect(drafts.filter(draft => existsSync(draft))).toEqual([]);
});

it('keeps five damaged files, the last ones', () => {
  fill(1, 2);
  for (let i = 1; i <= 7; i++) {
    store.close();
    writeFileSync(path, `damage ${i}`);
    expect(store.networks()).toEqual([NETWORK]);
  }
  const kept = store.health().damaged;
  expect(kept).toEqual([3, 4, 5, 6, 7].map(i => `${path}.damaged-${i}`));
  expect(kept.map(file => readFileSync(file, 'utf8'))).toEqual([3, 4, 5, 6, 7].map(i => `damage ${i}`));
});
