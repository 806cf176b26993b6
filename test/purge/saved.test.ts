import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readSaved } from '../../src/purge/saved.ts';
import { hasState, removeState } from '../../src/purge/state-files.ts';
import { openStore } from '../../src/store/open.ts';
import { ENDPOINT, NETWORK } from '../store/samples.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'purge-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('reading a state for a purge', () => {
  it('finds what a daemon has written that still runs, and one that has ended', () => {
    const store = openStore(directory);
    store.putNetwork(NETWORK);
    store.putEndpoint(ENDPOINT);
    const saved = { networks: [NETWORK], endpoints: [ENDPOINT] };
    expect(readSaved(directory)).toEqual(saved);
    store.close();
    expect(readSaved(directory)).toEqual(saved);
  });

  it('does not take the place of a daemon, nor change what it finds', () => {
    expect(readSaved(join(directory, 'none'))).toEqual({ networks: [], endpoints: [] });
    expect(readSaved(directory)).toEqual({ networks: [], endpoints: [] });
    expect(readdirSync(directory)).toEqual([]);
  });

  it('says what is wrong with one that cannot be read', () => {
    openStore(directory).putNetwork(NETWORK);
    truncateSync(join(directory, 'tsnet.db'), 0);
    expect(() => readSaved(directory)).toThrow(expect.objectContaining({ code: 'STATE_CORRUPT' }));
  });
});

describe('removing a state', () => {
  it('takes the directory along when nothing else is in it', () => {
    const store = openStore(directory);
    store.putNetwork(NETWORK);
    expect(hasState(directory)).toBe(true);
    removeState(directory);
    store.close();
    expect(hasState(directory)).toBe(false);
    expect(() => readdirSync(directory)).toThrow('ENOENT');
    removeState(directory);
  });

  it("leaves somebody else's files, and their directory", () => {
    writeFileSync(join(directory, 'notes'), 'mine');
    openStore(directory).putNetwork(NETWORK);
    removeState(directory);
    expect(readdirSync(directory)).toEqual(['notes']);
    expect(hasState(directory)).toBe(false);
  });
});
