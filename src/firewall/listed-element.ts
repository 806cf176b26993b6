import { z } from 'zod';
import { formatAddress, formatCidr, parseAddress, parseCidr } from '../addresses.ts';
import type { FirewallElement, FirewallSet } from '../host-state/types.ts';
import { checkElement } from './elements.ts';
import type { Field } from './fields.ts';
import { keyFields, valueFields } from './sets.ts';

/** Protocols by the number that a listing has for them, as they are written in commands. */
export const PROTOCOL_NAMES: Readonly<Record<string, string>> = { 6: 'tcp', 17: 'udp', 132: 'sctp' };

const SCALAR = z.union([z.string(), z.number().transform(String)]);
const PREFIX = z
  .object({ prefix: z.object({ addr: z.string(), len: z.number() }) })
  .transform(({ prefix }) => `${withoutQuad(prefix.addr)}/${prefix.len}`);
const RANGE = z
  .object({ range: z.tuple([z.string(), z.string()]) })
  .transform(({ range: [first, last] }) => cidrOfRange(withoutQuad(first), withoutQuad(last)));
const PART = z.union([SCALAR.transform(text => withoutQuad(text)), PREFIX, RANGE]);
const PARTS = z.union([
  z.object({ concat: z.array(PART) }).transform(key => key.concat),
  PART.transform(part => [part]),
]);

const MAPPING = z.tuple([z.unknown(), z.unknown()]);

/**
 * An element as libnftables-json(5) has it; undefined for one that tsnet would not have put there: a wildcard, one
 * with a timeout.
 */
export function listedElement(set: FirewallSet, listed: unknown): FirewallElement | undefined {
  try {
    const fields = valueFields(set);
    if (fields === undefined) return checkElement({ set, key: read(keyFields(set), listed) });
    const [key, value] = MAPPING.parse(listed);
    return checkElement({ set, key: read(keyFields(set), key), value: read(fields, value) });
  } catch {
    return undefined;
  }
}

const read = (fields: readonly Field[], listed: unknown): string[] =>
  PARTS.parse(listed).map((text, index) => {
    switch (fields[index]) {
      case 'inet_proto':
        return PROTOCOL_NAMES[text] ?? text;
      // One address stands for its whole network in a set of intervals, and the other way around.
      case 'ipv4_net':
        return text.includes('/') ? text : `${text}/32`;
      case 'ipv6_net':
        return text.includes('/') ? text : `${text}/128`;
      case 'ipv4_addr':
        return text.replace(/\/32$/, '');
      case 'ipv6_addr':
        return text.replace(/\/128$/, '');
      default:
        return text;
    }
  });

/** inet_ntop(3) writes addresses of ::/96 with a dotted quad at the end, which ipaddr.js does not read. */
const withoutQuad = (text: string): string =>
  /^::[0-9.]+$/.test(text) ? new URL(`http://[${text}]`).hostname.slice(1, -1) : text;

/** @throws TsnetError ADDRESS_INVALID when the two are not the first and the last address of a network */
function cidrOfRange(first: string, last: string): string {
  const start = parseAddress(first);
  const size = parseAddress(last).value - start.value + 1n;
  const hostBits = size > 0n ? size.toString(2).length - 1 : 0;
  const prefix = (start.family === 4 ? 32 : 128) - hostBits;
  const cidr = parseCidr(`${formatAddress(start.family, start.value)}/${prefix}`);
  if (size !== 1n << BigInt(hostBits)) return `${first}-${last}`;
  return formatCidr(cidr);
}
