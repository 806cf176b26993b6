import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../../src/store/open.ts';
import { quantile } from '../statistics.ts';
import { FilledPool, NO_STORE } from './addresses.ts';
import type { Result } from './limit.ts';

const ROUNDS = 9;
const PAIRS = 100_000;
/** With the disk in it each pair is two commits. */
const DURABLE_PAIRS = 1_000;
const MILLION = 1_000_000;

/** How fast addresses are given and taken back, and whether that depends on how many are taken. */
export function measureAddresses(): Result[] {
  const empty = new FilledPool(NO_STORE, 0);
  const full = new FilledPool(NO_STORE, MILLION);
  const rates = { empty: [] as number[], full: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    rates.empty.push(empty.rate(PAIRS));
    rates.full.push(full.rate(PAIRS));
  }
  const [ofEmpty, ofFull] = [quantile(rates.empty, 0.5), quantile(rates.full, 0.5)];
  const limit = { least: 500_000 };
  return [
    { measure: 'address taken and given back, empty /8', unit: '/s', limit, got: ofEmpty },
    { measure: 'the same with 1,000,000 taken', unit: '/s', limit, got: ofFull },
    {
      measure: 'the same, 1,000,000 taken ÷ empty',
      unit: 'x',
      limit: { least: 0.8 },
      got: ofFull / ofEmpty,
    },
    { measure: 'the same, each on the disk before the next', unit: '/s', got: durableRate() },
  ];
}

function durableRate(): number {
  const directory = mkdtempSync(join(tmpdir(), 'tsnet-limits-'));
  const store = openStore(directory);
  try {
    return new FilledPool(store, 0).rate(DURABLE_PAIRS);
  } finally {
    store.close();
    rmSync(directory, { recursive: true });
  }
}
