import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import { StoreProcess } from './store-process.ts';

let directory = '';
let other: StoreProcess | undefined;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsnet-faults-'));
});
afterEach(async () => {
  await other?.kill();
  other = undefined;
  rmSync(directory, { recursive: true });
});

describe('a process that is killed', () => {
  it('keeps what it has acknowledged, and leaves the directory to the next', async () => {
    for (let round = 0; round < 5; round++) {
      const writer = new StoreProcess(directory);
      other = writer;
      const base = round * 1000;
      for (let i = 1; i <= 400; i++) writer.send('count', String(base + i));
      let acknowledged = 0;
      while (acknowledged < base + 40 + round) acknowledged = Number((await writer.answer()).value);
      await writer.kill();
      const store = openStore(directory);
      expect(Number(store.setting('count'))).toBeGreaterThanOrEqual(acknowledged);
      store.close();
    }
  });

  it('holds the directory as long as it lives', async () => {
    const daemon = new StoreProcess(directory);
    other = daemon;
    expect(await daemon.put('a', '1')).toEqual({ value: '1' });
    const store = openStore(directory);
    expect(() => store.setting('a')).toThrow(/^STATE_IN_USE/);
    await daemon.kill();
    expect(store.setting('a')).toBe('1');
    store.close();
  });
});

describe('a file system that', () => {
  it.each([
    ['empty', ''],
    ['with a state', `"$0" -e "$MAKE" && `],
  ])('is read-only, %s: is told, and works once it is writable', async (_, prepare) => {
    const make = `import(${JSON.stringify(new URL('../../src/store/open.ts', import.meta.url).href)}).then(m => { const s = m.openStore(process.argv[1]); s.putSetting("a", "0"); s.close(); })`;
    const script = `mount -t tmpfs tmpfs "$1" && ${prepare.replace('"$MAKE"', `'${make}' "$1"`)}mount -o remount,ro "$1"`;
    const store = new StoreProcess(directory, script);
    other = store;
    for (let i = 0; i < 2; i++) {
      expect(await store.put('a', '1')).toMatchObject({ code: 'STATE_UNWRITABLE' });
      // What is there can be read.
      const unreadable = { code: 'STATE_UNWRITABLE' };
      expect(await store.get('a')).toMatchObject(prepare === '' ? unreadable : { value: '0' });
    }
    store.inside(`mount -o remount,rw ${directory}`);
    expect(await store.get('a')).toEqual({ value: prepare === '' ? null : '0' });
    expect(await store.put('a', '1')).toEqual({ value: '1' });
  });

  it('is full from the start: is told, and works once there is room', async () => {
    const store = new StoreProcess(
      directory,
      'mount -t tmpfs -o size=256k tmpfs "$1" && head -c 256k /dev/zero > "$1/ballast"',
    );
    other = store;
    for (let i = 0; i < 2; i++) expect(await store.put('a', '1')).toMatchObject({ code: 'STATE_FULL' });
    store.inside(`rm ${directory}/ballast`);
    expect(await store.put('a', '1')).toEqual({ value: '1' });
  });

  it('fills up: refuses what it has no room for, keeps the rest, and works once there is room', async () => {
    const store = new StoreProcess(directory, 'mount -t tmpfs -o size=512k tmpfs "$1"');
    other = store;
    expect(await store.put('a', '1')).toEqual({ value: '1' });
    store.inside(`head -c 512k /dev/zero > ${directory}/ballast || true`);
    let filled = 0;
    while (filled < 100) {
      const { code } = await store.put(`big${filled}`, 'x'.repeat(9000));
      if (code === undefined) {
        filled++;
        continue;
      }
      expect(code).toBe('STATE_FULL');
      break;
    }
    expect(filled).toBeLessThan(100);
    expect(await store.put('a', 'x'.repeat(9000))).toMatchObject({ code: 'STATE_FULL' });
    expect(await store.get('a')).toEqual({ value: '1' });
    store.inside(`rm ${directory}/ballast`);
    expect(await store.put('a', '2')).toEqual({ value: '2' });
    expect(await store.get(`big${filled}`)).toEqual({ value: null });
  });
});

it('a path that is no directory is told', () => {
  const store = openStore('/dev/null/state');
  expect(() => store.networks()).toThrow(/^STATE_UNWRITABLE: .*ENOTDIR/);
});
