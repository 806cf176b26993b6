import { z } from 'zod';
import type { FirewallElement, FirewallSet } from '../host-state/types.ts';
import { checkKey, isFirewallSet, SETS } from './sets.ts';
import { CHAINS, type Chain, FAMILY, MARKER, TABLE_NAME } from './skeleton.ts';

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
const RULE = z.object({ rule: z.object({ ...OURS, chain: z.string() }) });
const SET = z.object({
  set: z.object({ ...OURS, name: z.string(), elem: z.array(z.unknown()).default([]) }),
});
const LISTING = z.object({ nftables: z.array(z.unknown()) });
const KEY = z.union([
  z.string().transform(name => [name]),
  z.object({ concat: z.array(z.string()) }).transform(key => key.concat),
]);

export interface TableState {
  /**
   * `intact`: made from this very skeleton and complete. `other`: of another version of tsnet, or changed by
   * somebody, so it has to be replaced.
   */
  readonly skeleton: 'intact' | 'absent' | 'other';
  readonly elements: readonly FirewallElement[];
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

  const sets = pick(SET).map(object => object.set);
  const elements: FirewallElement[] = [];
  // The flag `dormant` would switch the table off. How flags are printed differs by version; tsnet sets none.
  let intact = table.table.flags === undefined && sets.length === SETS.length;
  for (const { name, elem } of sets) {
    for (const value of elem) {
      const element = isFirewallSet(name) ? elementOf(name, value) : undefined;
      if (element === undefined) intact = false;
      else elements.push(element);
    }
  }
  const rules = pick(RULE).map(object => object.rule.chain);
  const chains = new Map(pick(CHAIN).map(({ chain }) => [chain.name, chain]));
  intact &&= sets.every(set => isFirewallSet(set.name));
  intact &&= chains.size === CHAINS.length + 1 && chains.has(MARKER) && !rules.includes(MARKER);
  intact &&= CHAINS.every(
    chain =>
      isHooked(chain, chains.get(chain.name)) &&
      rules.filter(name => name === chain.name).length === chain.rules.length,
  );
  return { skeleton: intact ? 'intact' : 'other', elements };
}

/** Undefined for an element that tsnet would not have put there: a wildcard, one with a timeout. */
function elementOf(set: FirewallSet, value: unknown): FirewallElement | undefined {
  try {
    return { set, key: checkKey(set, KEY.parse(value).map(withoutQuad)) };
  } catch {
    return undefined;
  }
}

/** inet_ntop(3) writes addresses of ::/96 with a dotted quad at the end, which ipaddr.js does not read. */
const withoutQuad = (text: string): string =>
  /^::[0-9.]+$/.test(text) ? new URL(`http://[${text}]`).hostname.slice(1, -1) : text;

function isHooked(wanted: Chain, found: z.infer<typeof CHAIN>['chain'] | undefined): boolean {
  const { hook } = wanted;
  return (
    found !== undefined &&
    found.type === hook?.type &&
    found.hook === hook?.hook &&
    found.prio === hook?.priority &&
    found.policy === (hook && 'accept')
  );
}
