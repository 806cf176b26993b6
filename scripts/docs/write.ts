/** Writes the generated pages of docs/: `make docs`. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderDocs } from './render.ts';

for (const [path, text] of renderDocs()) await writeFile(join(import.meta.dirname, '../..', path), text);
