import type { FirewallElement, Guard } from '../host-state/types.ts';
import { groupBySet } from './elements.ts';
import { guardChains } from './guard.ts';
import { renderBody, TABLE } from './skeleton.ts';

/**
 * nft text that replaces the whole table in one transaction, whether or not it was there: adding what exists is no
 * error to nft, so the deletion always finds one.
 * @param guard the host's own firewall, for networks that ask for it
 * @throws TsnetError as checkElement() of elements.ts and guardChains() of guard.ts
 */
export function renderTable(elements: readonly FirewallElement[], guard: Guard | undefined): string {
  const body = renderBody(new Map(groupBySet(elements)), guardChains(guard));
  return `add table ${TABLE}\ndelete table ${TABLE}\ntable ${TABLE} {\n${body}}\n`;
}

/**
 * nft text that takes elements out of and puts elements into the table's sets in one transaction; empty when there
 * is nothing to do. It may be repeated: an element that is gone may be deleted, one that is there may be added; what
 * stands in both lists is there afterwards. Elements of maps are deleted by key and value, as they are in the kernel:
 * it refuses another value of theirs. So to replace one is to delete it with its old value and to add the new one.
 * @param isThere whether what is to be taken out is known to be there: the text is then shorter, and refused ("No such file or
 *   directory") where something is not
 * @throws TsnetError as checkElement() of elements.ts
 */
export function renderElements(
  add: readonly FirewallElement[],
  remove: readonly FirewallElement[],
  isThere = false,
): string {
  const command = (verb: string) => (entry: readonly [string, readonly string[]]) =>
    `${verb} element ${TABLE} ${entry[0]} { ${entry[1].join(', ')} }\n`;
  const gone = groupBySet(remove);
  // Added before it is deleted for the same reason as the table: `destroy element` needs Linux 6.3 and nft 1.0.7.
  return [
    ...(isThere ? [] : gone.map(command('add'))),
    ...gone.map(command('delete')),
    ...groupBySet(add).map(command('add')),
  ].join('');
}

/**
 * nft text that replaces the rules of the host's own firewall in the table, in one transaction.
 * @throws TsnetError as guardChains() of guard.ts
 */
export const renderGuard = (guard: Guard | undefined): string =>
  guardChains(guard)
    .flatMap(({ name, rules }) => [
      `flush chain ${TABLE} ${name}\n`,
      ...rules.map(rule => `add rule ${TABLE} ${name} ${rule}\n`),
    ])
    .join('');
