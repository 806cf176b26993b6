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
