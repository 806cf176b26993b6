import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { EMPTY, type HostState } from '../../src/host-state/types.ts';

/** Compares a host state with golden/<name>.json, which leaves empty parts out. */
export function expectGolden(state: HostState, name: string): void {
  const golden = readFileSync(new URL(`golden/${name}.json`, import.meta.url), 'utf8');
  expect(state).toEqual({ ...EMPTY, ...JSON.parse(golden) });
}
