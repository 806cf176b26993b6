import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { renderDocs } from '../../scripts/docs/render.ts';

test.each([...renderDocs()])('%s is what its table says (else: make docs)', async (path, text) => {
  expect(await readFile(join(import.meta.dirname, '../..', path), 'utf8')).toBe(text);
});
