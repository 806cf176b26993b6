import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { EMPTY, type HostState } from '../../src/host-state/types.ts';

/** Compares a host state with golden/<name>.json, which leaves empty parts out; UPDATE_GOLDEN=1 writes it anew. */
export function expectGolden(state: HostState, name: string): void {
  const path = new URL(`golden/${name}.json`, import.meta.url);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, textOf(state));
  const golden = readFileSync(path, 'utf8');
  expect(state).toEqual({ ...EMPTY, ...JSON.parse(golden) });
}

/** An item a line, so that a difference shows as the item that differs. */
function textOf(state: HostState): string {
  const parts = Object.entries(state).flatMap(([name, part]) => {
    if (!Array.isArray(part)) return [`"${name}": ${JSON.stringify(part)}`];
    const items = part.map(item => JSON.stringify(item));
    return items.length === 0 ? [] : [`"${name}": [\n${items.join(',\n')}\n]`];
  });
  return `{\n${parts.join(',\n')}\n}\n`;
}
