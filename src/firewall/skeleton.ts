import { createHash } from 'node:crypto';
import type { Chain } from './chain.ts';
import { FORWARD_CHAINS } from './chains-forward.ts';
import { NAT_CHAINS } from './chains-nat.ts';
import { GUARD_CHAINS } from './guard.ts';
import { DECLARATIONS } from './sets.ts';

export const FAMILY = 'inet';
export const TABLE_NAME = 'tsnet';
/** Family and name as nft commands take them. */
export const TABLE = `${FAMILY} ${TABLE_NAME}`;

/** The chains whose rules never change. */
export const CHAINS: readonly Chain[] = [...FORWARD_CHAINS, ...NAT_CHAINS];

/** Name of an empty chain that tells which skeleton a table in the kernel was made from. */
export const MARKER = `skeleton_${createHash('sha256')
  .update(JSON.stringify([DECLARATIONS, CHAINS, GUARD_CHAINS]))
  .digest('hex')
  .slice(0, 16)}`;

/**
 * The sets with the given contents, then the chains that use them: the inside of the table's braces.
 * @param elements text of a set's elements, by set
 * @param guard the chains of GUARD_CHAINS
 */
export function renderBody(
  elements: ReadonlyMap<string, readonly string[]>,
  guard: readonly Chain[],
): string {
  const sets = DECLARATIONS.map(({ name, kind, lines }) => {
    const contents = elements.get(name);
    return block(`${kind} ${name}`, contents ? [...lines, `elements = { ${contents.join(', ')} }`] : lines);
  });
  return [...sets, ...[...CHAINS, ...guard].map(renderChain), block(`chain ${MARKER}`, [])].join('');
}

const renderChain = ({ name, hook, rules }: Chain): string =>
  block(`chain ${name}`, [
    ...(hook ? [`type ${hook.type} hook ${hook.hook} priority ${hook.priority}; policy accept;`] : []),
    ...rules,
  ]);

const block = (head: string, lines: readonly string[]): string =>
  `\t${head} {\n${lines.map(line => `\t\t${line}\n`).join('')}\t}\n`;
