import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const JUDGE = join(ROOT, 'chaos/judge');

/** The files that a file imports, of this repository. */
function imports(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/(?:from|import|import\()\s*'(\.[^']+)'/g)].map(([, path]) =>
    resolve(dirname(file), path ?? ''),
  );
}

test('the judge shares no code with tsnet, nor with the campaign but for what the world is', () => {
  const files = readdirSync(JUDGE, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .map(name => join(JUDGE, name));
  expect(files.length).toBeGreaterThan(30);
  const all = new Set(files);
  for (const file of all) for (const other of imports(file)) all.add(other);
  const outside = [...all].map(file => relative(ROOT, file)).filter(file => !file.startsWith('chaos/judge/'));
  expect(outside.filter(file => !file.startsWith('test/lab/'))).toEqual(['chaos/world/types.ts']);
});
