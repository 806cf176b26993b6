import { z } from 'zod';
import type { FirewallElement } from '../host-state/types.ts';
import type { Chain } from './chain.ts';
import { GUARD_CHAINS, versionOf } from './guard.ts';
import { listedElement } from './listed-element.ts';
import { DECLARATIONS, isFirewallSet } from './sets.ts';
import { CHAINS, FAMILY, MARKER, TABLE_NAME } from './skeleton.ts';

const OURS = { family: z.literal(FAMILY), table: z.literal(TABLE_NAME) };
const TABLE = z.object({
  table: z.object({ family: z.literal(FAMILY), name: z.literal(TABLE_NAME), flags: z.unknown().optional() }),
});
const CHAIN = z.object({
  chain: z.object({
    ...OURS,
    name: z.string(),
    type: z.string().optional(),
    hook: z.string().optional(),
    prio: z.number().optional(),
    policy: z.string().optional(),
  }),
});
const RULE = z.object({ rule: z.object({ ...OURS, chain: z.string(), comment: z.string().optional() }) });
const CONTENTS = z.object({ ...OURS, name: z.string(), elem: z.array(z.unknown()).default([]) });
const SET = z.union([
  z.object({ set: CONTENTS }).transform(({ set }) => ({ kind: 'set', ...set })),
  z.object({ map: CONTENTS }).transform(({ map }) => ({ kind: 'map', ...map })),
]);
const LISTING = z.object({ nftables: z.array(z.unknown()) });

export interface TableState {
  /**
   * `intact`: made from this very skeleton and complete. `other`: of another version of tsnet, or changed by
   * somebody, so it has to be replaced.
   */
  readonly skeleton: 'intact' | 'absent' | 'other';
  readonly elements: readonly FirewallElement[];
  /** Of the guard that the table has, to compare with guardVersion(); there if the skeleton is intact. */
  readonly guardVersion?: string;
}

/**
 * Reads what `nft -j list table inet tsnet` prints (libnftables-json(5)).
 * @param listing the parsed JSON; undefined where nft said that there is no such table
 */
export function parseTable(listing: unknown): TableState {
  const objects = LISTING.safeParse(listing).data?.nftables ?? [];
  const pick = <T>(schema: z.ZodType<T>): T[] =>
    objects.flatMap(object => schema.safeParse(object).data ?? []);
  const table = pick(TABLE)[0];
  if (table === undefined) return { skeleton: 'absent', elements: [] };

  const sets = pick(SET);
  const elements: FirewallElement[] = [];
  // The flag `dormant` would switch the table off. How flags are printed differs by version; tsnet sets none.
  let intact = table.table.flags === undefined && sets.length === DECLARATIONS.length;
  for (const { name, elem } of sets) {
    // What else is declared is filled by rules.
    if (!isFirewallSet(name)) continue;
    for (const listed of elem) {
      const element = listedElement(name, listed);
      if (element === undefined) intact = false;
      else elements.push(element);
    }
  }
  const kinds = new Map(sets.map(({ name, kind }) => [name, kind]));
  intact &&= DECLARATIONS.every(({ name, kind }) => kinds.get(name) === kind);

  const rules = Map.groupBy(
    pick(RULE).map(({ rule }) => rule),
    rule => rule.chain,
  );
  const chains = new Map(pick(CHAIN).map(({ chain }) => [chain.name, chain]));
  const count = CHAINS.length + GUARD_CHAINS.length + 1;
  intact &&= chains.size === count && chains.has(MARKER) && !rules.has(MARKER);
  intact &&= CHAINS.every(
    chain => isHooked(chain, chains.get(chain.name)) && rules.get(chain.name)?.length === chain.rules.length,
  );

  const guards = GUARD_CHAINS.map(name => versionOf((rules.get(name) ?? []).map(rule => rule.comment)));
  const [version] = guards;
  intact &&= version !== undefined && guards.every(other => other === version);
  return {
    skeleton: intact ? 'intact' : 'other',
    elements,
    ...(intact && version !== undefined ? { guardVersion: version } : {}),
  };
}

function isHooked({ hook }: Chain, found: z.infer<typeof CHAIN>['chain'] | undefined): boolean {
  return (
    found !== undefined &&
    found.type === hook?.type &&
    found.hook === hook?.hook &&
    found.prio === hook?.priority &&
    found.policy === (hook && 'accept')
  );
}
