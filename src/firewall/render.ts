import type { FirewallElement } from '../host-state/types.ts';
import { groupBySet } from './sets.ts';
import { renderBody, TABLE } from './skeleton.ts';

/**
 * nft text that replaces the whole table in one transaction, whether or not it was there: adding what exists is no
 * error to nft, so the deletion always finds one.
 * @throws TsnetError OPTION_INVALID for an interface name that cannot be named in a rule
 */
export function renderTable(elements: readonly FirewallElement[]): string {
  const body = renderBody(new Map(groupBySet(elements)));
  return `add table ${TABLE}\ndelete table ${TABLE}\ntable ${TABLE} {\n${body}}\n`;
}

/**
 * nft text that takes elements out of and puts elements into the table's sets in one transaction; empty when there
 * is nothing to do. It may be repeated: an element that is gone may be deleted, one that is there may be added; what
 * stands in both lists is there afterwards.
 * @throws TsnetError OPTION_INVALID for an interface name that cannot be named in a rule
 */
export function renderElements(add: readonly FirewallElement[], remove: readonly FirewallElement[]): string {
  const command = (verb: string) => (entry: readonly [string, readonly string[]]) =>
    `${verb} element ${TABLE} ${entry[0]} { ${entry[1].join(', ')} }\n`;
  const gone = groupBySet(remove);
  // Added before it is deleted for the same reason as the table: `destroy element` needs Linux 6.3 and nft 1.0.7.
  return [
    ...gone.map(command('add')),
    ...gone.map(command('delete')),
    ...groupBySet(add).map(command('add')),
  ].join('');
}
