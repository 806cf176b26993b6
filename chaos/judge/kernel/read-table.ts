import type { TableView } from './types.ts';

type Part = string | number | { prefix: { addr: string; len: number } } | { range: Part[] };
type Field = Part | { concat: Part[] } | { elem: { val: Field } };
interface SetRow {
  name: string;
  flags?: string[];
  elem?: (Field | [Field, Field])[];
}
interface Row {
  chain?: { name: string };
  set?: SetRow;
  map?: SetRow;
}

/** @param text what `nft -j list table` printed; '' where there is no such table */
export function readTable(text: string): TableView | undefined {
  if (text.trim() === '') return undefined;
  const rows = (JSON.parse(text) as { nftables: Row[] }).nftables;
  return {
    chains: rows.flatMap(({ chain }) => chain?.name ?? []),
    elements: rows
      .flatMap(({ set, map }) => set ?? map ?? [])
      // What rules fill by themselves belongs to the clients that were counted.
      .filter(({ flags }) => !flags?.includes('timeout'))
      .flatMap(({ name, elem = [] }) => elem.map(one => `${name} ${readElement(one)}`)),
  };
}

function readElement(element: Field | [Field, Field]): string {
  return Array.isArray(element) ? element.map(readField).join(' : ') : readField(element);
}

function readField(field: Field): string {
  if (typeof field === 'object' && 'concat' in field) return field.concat.map(readPart).join(' ');
  if (typeof field === 'object' && 'elem' in field) return readField(field.elem.val);
  return readPart(field);
}

function readPart(part: Part): string {
  if (typeof part !== 'object') return String(part);
  return 'prefix' in part ? `${part.prefix.addr}/${part.prefix.len}` : part.range.map(readPart).join('-');
}
