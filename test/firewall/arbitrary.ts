import fc from 'fast-check';
import type { Field } from '../../src/firewall/fields.ts';
import { keyFields, SETS, valueFields } from '../../src/firewall/sets.ts';
import { isLinkName } from '../../src/host-state/names.ts';
import type { FirewallElement, FirewallSet, Guard } from '../../src/host-state/types.ts';

/** Few enough that additions and removals meet, some of them words that mean something to nft. */
const NAMES = ['tsb0123456789', 'eth0.100', 'br0', 'drop', 'ip', '1', 'a-b@c_d', 'accept', 'elements'];
const name = fc.oneof(
  fc.constantFrom(...NAMES),
  fc.string({ unit: fc.constantFrom(...'abzAZ09_.@-'), minLength: 1, maxLength: 15 }).filter(isLinkName),
);
const port = fc.oneof(fc.constantFrom(1, 80, 8080, 65535), fc.integer({ min: 1, max: 65535 })).map(String);

/** The networks of one container do not overlap; these touch each other at most. */
const NETS4 = ['198.18.0.0/24', '198.18.1.0/25', '198.18.1.128/25', '198.18.2.7/32', '198.18.2.8/29'];
const NETS6 = ['2001:db8::/48', '2001:db8:1::/64', '2001:db8:1:1::/64', '2001:db8:2::1/128', '::102:300/120'];

const FIELDS: Readonly<Record<Field, fc.Arbitrary<string>>> = {
  ifname: name,
  inet_proto: fc.constantFrom('tcp', 'udp', 'sctp'),
  inet_service: port,
  ipv4_addr: fc.nat(255).map(host => `198.18.0.${host}`),
  ipv6_addr: fc.oneof(
    fc.nat(0xffff).map(host => (host === 0 ? '2001:db8::' : `2001:db8::${host.toString(16)}`)),
    // Ones that inet_ntop writes with a dotted quad.
    fc.constantFrom('::102:304', 'fe80::1', '2001:db8:0:1:1:1:1:1'),
  ),
  ipv4_net: fc.constantFrom(...NETS4),
  ipv6_net: fc.constantFrom(...NETS6),
};

/** The same for the same key: the kernel refuses another value for a key that is there. */
function mappedTo(fields: readonly Field[], key: readonly string[]): string[] {
  const seed = key.join(' ').length;
  const values: Partial<Record<Field, string>> = {
    inet_service: `${seed}`,
    ipv4_addr: `198.18.1.${seed}`,
    ipv6_addr: `2001:db8:1::${seed}`,
  };
  return fields.map(field => values[field] ?? '');
}

export const elementOf = (set: FirewallSet): fc.Arbitrary<FirewallElement> =>
  fc.tuple(...keyFields(set).map(field => FIELDS[field])).map(key => {
    const fields = valueFields(set);
    return fields ? { set, key, value: mappedTo(fields, key) } : { set, key };
  });

export const element: fc.Arbitrary<FirewallElement> = fc.oneof(...SETS.map(elementOf));

/** Elements in one order and without doubles, to compare what has none. */
export const normal = (elements: readonly FirewallElement[]): string[] =>
  [
    ...new Set(
      elements.map(({ set, key, value }) => [set, ...key, ...(value ? ['to', ...value] : [])].join(' ')),
    ),
  ].sort();

const ranges = fc.array(
  fc
    .tuple(fc.nat(0xffff), fc.nat(0xffff))
    .map(([a, b]): [number, number] => [Math.min(a, b), Math.max(a, b)]),
  { minLength: 1, maxLength: 3 },
);
const verdict = fc.constantFrom('allow', 'deny');
const ruleOf = <F extends 4 | 6>(family: F, cidr: fc.Arbitrary<string>) =>
  fc.record(
    {
      family: fc.constant(family),
      action: verdict,
      protocol: fc.constantFrom('tcp', 'udp', 'sctp'),
      ports: ranges,
      sourcePorts: ranges,
      source: cidr,
      destination: cidr,
      link: name,
      limit: fc.constant(true as const),
    },
    { requiredKeys: ['family', 'action'] },
  );

export const guard: fc.Arbitrary<Guard> = fc.record({
  rules: fc.array(
    fc.oneof(
      ruleOf(4, fc.constantFrom('0.0.0.0/0', '198.18.0.1/15', ...NETS4)),
      ruleOf(6, fc.constantFrom('::/0', '2001:db8::1/32', ...NETS6)),
    ),
    { maxLength: 6 },
  ),
  otherwise: fc.record({ 4: verdict, 6: verdict }),
});
