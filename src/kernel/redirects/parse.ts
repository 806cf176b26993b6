import { z } from 'zod';
import { PROTOCOL_NAMES } from '../../firewall/listed-element.ts';
import type { Redirect } from '../../host-state/types.ts';
import { elementOf, namesOf, PRIORITY } from './render.ts';

const CONCAT = z
  .object({ concat: z.array(z.union([z.string(), z.number()])) })
  .transform(({ concat }) => concat.map(String));
const OBJECT = z.union([
  z.object({
    map: z.object({ name: z.string(), elem: z.array(z.tuple([CONCAT, CONCAT])).default([]) }),
  }),
  z.object({
    chain: z.object({
      name: z.string(),
      type: z.string().optional(),
      hook: z.string().optional(),
      prio: z.number().optional(),
      policy: z.string().optional(),
    }),
  }),
  z.object({ rule: z.object({ chain: z.string() }) }),
]);
const LISTING = z.object({ nftables: z.array(z.unknown()) });

/**
 * Reads what `nft -j list table inet tsnet` prints in a sandbox.
 * @param listing the parsed JSON; undefined where there is no such table
 * @returns `whole`: whether it holds exactly the endpoint's ports; `others`: whether anything else is in the table
 */
export function readListing(listing: unknown, redirect: Redirect): { whole: boolean; others: boolean } {
  const objects = (LISTING.safeParse(listing).data?.nftables ?? []).flatMap(object => {
    const known = OBJECT.safeParse(object).data;
    return known === undefined ? [] : [known];
  });
  const maps = new Map(objects.flatMap(o => ('map' in o ? [[o.map.name, o.map.elem] as const] : [])));
  const chains = new Map(objects.flatMap(o => ('chain' in o ? [[o.chain.name, o.chain] as const] : [])));
  const rules = objects.flatMap(o => ('rule' in o ? [o.rule.chain] : []));

  const names = namesOf(redirect.endpointId);
  const found = Object.values(names.maps).flatMap(name => maps.get(name) ?? []);
  const elements = new Set(found.map(([key, value]) => [...named(key), ...value].join(' ')));
  const wanted = new Set(redirect.rules.map(elementOf).map(({ key, value }) => [...key, ...value].join(' ')));
  const whole =
    Object.values(names.maps).every(name => maps.has(name)) &&
    elements.size === wanted.size &&
    elements.isSubsetOf(wanted) &&
    names.chains.every(({ name, hook }) => {
      const chain = chains.get(name);
      return (
        chain?.type === 'nat' &&
        chain.hook === hook &&
        chain.prio === PRIORITY &&
        chain.policy === 'accept' &&
        rules.filter(of => of === name).length === 2
      );
    });
  const own = new Set([...Object.values(names.maps), ...names.chains.map(({ name }) => name)]);
  return { whole, others: [...maps.keys(), ...chains.keys()].some(name => !own.has(name)) };
}

/** Of a key's parts, address, protocol and port, the second is listed as a number. */
const named = ([address, protocol = '', ...rest]: readonly string[]): readonly (string | undefined)[] => [
  address,
  PROTOCOL_NAMES[protocol] ?? protocol,
  ...rest,
];
