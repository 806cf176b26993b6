import { parseTable, type TableState } from '../../firewall/parse.ts';
import { TABLE } from '../../firewall/skeleton.ts';
import type { Nft } from './nft.ts';

/**
 * What tsnet's table in the kernel looks like.
 * @throws TsnetError FIREWALL when it cannot be listed for another reason than being absent
 */
export const readTable = async (nft: Nft): Promise<TableState> =>
  parseTable(await nft.jsonIfExists(`list table ${TABLE}`));

/** Removes tsnet's table, if it exists, with all that is in it. */
export const removeTable = (nft: Nft): Promise<void> =>
  nft.run(`add table ${TABLE}\ndelete table ${TABLE}\n`);
