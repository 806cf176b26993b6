import fc from 'fast-check';
import { isLinkName } from '../../src/host-state/names.ts';
import type { FirewallElement } from '../../src/host-state/types.ts';

/** Few enough that additions and removals meet, some of them words that mean something to nft. */
const NAMES = ['tsb0123456789', 'eth0.100', 'br0', 'drop', 'ip', '1', 'a-b@c_d', 'accept', 'elements'];
const name = fc.oneof(
  fc.constantFrom(...NAMES),
  fc.string({ unit: fc.constantFrom(...'abzAZ09_.@-'), minLength: 1, maxLength: 15 }).filter(isLinkName),
);
const address4 = fc.nat(255).map(host => `198.18.0.${host}`);
const address6 = fc.oneof(
  fc.nat(0xffff).map(host => (host === 0 ? '2001:db8::' : `2001:db8::${host.toString(16)}`)),
  // Ones that inet_ntop writes with a dotted quad.
  fc.constantFrom('::102:304', 'fe80::1', '2001:db8:0:1:1:1:1:1'),
);

export const element: fc.Arbitrary<FirewallElement> = fc.oneof(
  fc.record({
    set: fc.constantFrom('bridges', 'no_icc', 'internal', 'masquerade4', 'masquerade6'),
    key: fc.tuple(name),
  }),
  fc.record({ set: fc.constant('same_bridge' as const), key: fc.tuple(name, name) }),
  fc.record({ set: fc.constantFrom('guest4', 'guest_masquerade4'), key: fc.tuple(name, address4) }),
  fc.record({ set: fc.constantFrom('guest6', 'guest_masquerade6'), key: fc.tuple(name, address6) }),
);

/** Elements in one order and without doubles, to compare what has none. */
export const normal = (elements: readonly FirewallElement[]): string[] =>
  [...new Set(elements.map(({ set, key }) => [set, ...key].join(' ')))].sort();
