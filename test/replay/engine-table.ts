import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const PAGE = join(import.meta.dirname, '../../docs/engines.md');

/** The table "What differs" of docs/engines.md: what is in a row, by its first cell, for each generation. */
export function differences(): Map<string, Readonly<Record<string, string>>> {
  const section =
    readFileSync(PAGE, 'utf8')
      .split(/^## /m)
      .find(text => text.startsWith('What differs')) ?? '';
  const [head = [], , ...rows] = section
    .split('\n')
    .filter(line => line.startsWith('|'))
    .map(line =>
      line
        .split('|')
        .slice(1, -1)
        .map(cell => cell.trim()),
    );
  const generations = head.slice(1);
  const cells = (row: readonly string[]) =>
    Object.fromEntries(generations.map((name, at) => [name, row[at + 1] ?? '']));
  return new Map(rows.filter(row => row[1] !== '').map(row => [row[0] ?? '', cells(row)]));
}

/** @throws Error when there is no such row */
export function difference(row: string): Readonly<Record<string, string>> {
  const found = differences().get(row);
  if (found === undefined) throw new Error(`docs/engines.md has no row "${row}"`);
  return found;
}
