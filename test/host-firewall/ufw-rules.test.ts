import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseUfw } from '../../src/host-firewall/ufw-rules.ts';
import type { Guard, GuardRule } from '../../src/host-state/types.ts';
import { inNetwork, iptablesVerdict, type Packet, type Verdict } from './ufw-oracle.ts';

/** Written by ufw 0.36.2 (Debian 12). */
const FIXTURES = join(import.meta.dirname, 'fixtures/ufw/etc');
const fixture = (path: string) => readFileSync(join(FIXTURES, path), 'utf8');
const WRITTEN = {
  defaults: fixture('default/ufw'),
  conf: fixture('ufw/ufw.conf'),
  rules: fixture('ufw/user.rules'),
  rules6: fixture('ufw/user6.rules'),
};
const SETTINGS = { defaults: 'IPV6=yes\nDEFAULT_INPUT_POLICY="DROP"\n', conf: 'ENABLED=yes\n' };

const parsed = (files: Partial<typeof WRITTEN>): Guard => {
  const guard = parseUfw({ ...SETTINGS, rules: '', rules6: '', ...files });
  if (guard === undefined) throw new Error('not enabled');
  return guard;
};
const rules = (...tuples: string[]): readonly GuardRule[] =>
  parsed({ rules: tuples.map(tuple => `\n### tuple ### ${tuple}\n-A ufw-user-input -j X\n`).join('') }).rules;

describe('a tuple of ufw', () => {
  it.each<[string, Omit<GuardRule, 'family'>[]]>([
    ['allow tcp 80 0.0.0.0/0 any 0.0.0.0/0 in', [{ action: 'allow', protocol: 'tcp', ports: [[80, 80]] }]],
    ['allow sctp 80 any any any in', [{ action: 'allow', protocol: 'sctp', ports: [[80, 80]] }]],
    [
      'allow any 53 0.0.0.0/0 any 0.0.0.0/0 DNS - in',
      [
        { action: 'allow', protocol: 'tcp', ports: [[53, 53]] },
        { action: 'allow', protocol: 'udp', ports: [[53, 53]] },
      ],
    ],
    [
      'allow udp 53,853,8000:8010 0.0.0.0/0 1024:65535 0.0.0.0/0 in',
      [
        {
          action: 'allow',
          protocol: 'udp',
          ports: [
            [53, 53],
            [853, 853],
            [8000, 8010],
          ],
          sourcePorts: [[1024, 65535]],
        },
      ],
    ],
    ['deny any any 0.0.0.0/0 any 203.0.113.7 in', [{ action: 'deny', source: '203.0.113.7/32' }]],
    ['reject any any 0.0.0.0/0 any 203.0.113.7/24 in', [{ action: 'deny', source: '203.0.113.0/24' }]],
    ['allow any any 198.18.0.0/255.255.0.0 any any in', [{ action: 'allow', destination: '198.18.0.0/16' }]],
    ['limit tcp 22 any any any in', [{ action: 'allow', limit: true, protocol: 'tcp', ports: [[22, 22]] }]],
    ['limit_log any any any any any in', [{ action: 'allow', limit: true }]],
    ['deny_log-all any any any any any in', [{ action: 'deny' }]],
    ['allow any any any any any in_my_if.5', [{ action: 'allow', link: 'my_if.5' }]],
    ['allow any any any any any in_eth+', [{ action: 'allow', link: 'eth*' }]],
    ['allow any any any any any in_+', [{ action: 'allow' }]],
    ['allow any any any any any in comment=61726520796f7520696e3f', [{ action: 'allow' }]],
    ['allow any any any any any', [{ action: 'allow' }]],
    ['allow any any any any any WWW -', [{ action: 'allow' }]],
  ])('%s', (tuple, expected) => {
    expect(rules(tuple)).toEqual(expected.map(rule => ({ family: 4, ...rule })));
  });

  it.each([
    'route:allow tcp 80 0.0.0.0/0 any 0.0.0.0/0 in_eth0!out_tss1',
    'route:deny any any 0.0.0.0/0 any 192.0.2.0/24 in',
    'allow tcp 25 0.0.0.0/0 any 0.0.0.0/0 out',
    'deny any any 192.0.2.1 any 0.0.0.0/0 out_eth0',
    'allow gre any 0.0.0.0/0 any 192.0.2.9 in',
  ])('is passed over where it is not about ports of the host: %s', tuple => {
    expect(rules(tuple)).toEqual([]);
  });

  it.each([
    'allow tcp 80 any any',
    'allow tcp 80 any any any a b in_eth0 c',
    'allow tcp 80000 any any any in',
    'allow tcp 0 any any any in',
    'allow tcp 90:80 any any any in',
    'allow tcp 80, any any any in',
    'allow tcp eighty any any any in',
    'allow tcp 80 any any 10.1.2.300 in',
    'allow tcp 80 any any 2001:db8::/32 in',
    'allow tcp 80 any any 10.0.0.0/33 in',
    'allow tcp 80 any any any in_a"b',
    'allow tcp 80 any any any in_a{b',
    'allow tcp 80 any any any in_abcdefghijklmnop',
    'allow tcp 80 any any any in_..',
    'allow tcp 80 any any any in_eth0!out_eth1',
  ])('is passed over where it is malformed: %s', tuple => {
    expect(rules(tuple)).toEqual([]);
  });

  it('with a mask that has holes is never more open than ufw', () => {
    expect(rules('allow any any any any 10.0.0.0/255.0.255.0 in')).toEqual([]);
    expect(rules('deny any any any any 10.0.0.0/255.0.255.0 in')).toEqual([
      { family: 4, action: 'deny', source: '10.0.0.0/8' },
    ]);
  });

  it('about a link that cannot be named is never more open than ufw', () => {
    expect(rules('allow any any any any any in_we,ird', 'allow any any any any any in_we%+')).toEqual([]);
    expect(rules('deny any any any any any in_we=ird')).toEqual([{ family: 4, action: 'deny' }]);
  });

  it('of IPv6 is read from the other file, its host bits cleared', () => {
    const guard = parsed({ rules6: '### tuple ### allow tcp 80 ::/0 any 2001:DB8::1/32 in\n' });
    expect(guard.rules).toEqual([
      { family: 6, action: 'allow', protocol: 'tcp', ports: [[80, 80]], source: '2001:db8::/32' },
    ]);
  });

  it('keeps its place among the others', () => {
    const order = rules(
      'deny any any any any 192.0.2.66 in',
      'route:allow tcp 80 any any any in',
      'allow any any any any any in',
    );
    expect(order.map(rule => rule.action)).toEqual(['deny', 'allow']);
  });
});

describe('the settings of ufw', () => {
  it('say whether it is on', () => {
    const conf = (text: string) => parseUfw({ ...SETTINGS, conf: text, rules: '', rules6: '' }) !== undefined;
    expect(
      ['ENABLED=yes', 'ENABLED=YES # since May', `ENABLED='yes'`, 'A=b\nENABLED="yes"'].map(conf),
    ).toEqual([true, true, true, true]);
    expect(['ENABLED=no', '', '#ENABLED=yes', 'ENABLED=yes\nENABLED=no', 'XENABLED=yes'].map(conf)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
  });

  it.each([
    ['DROP', 'deny'],
    ['REJECT', 'deny'],
    ['ACCEPT', 'allow'],
    ['nonsense', 'deny'],
  ])('have a policy for what no rule is about: %s', (policy, expected) => {
    const { otherwise } = parsed({ defaults: `IPV6=yes\nDEFAULT_INPUT_POLICY="${policy}"` });
    expect(otherwise).toEqual({ 4: expected, 6: expected });
  });

  it('close IPv6 where ufw has no rules for it', () => {
    const guard = parsed({
      defaults: 'IPV6=no\nDEFAULT_INPUT_POLICY="ACCEPT"',
      rules6: '### tuple ### allow tcp 80 ::/0 any ::/0 in\n',
    });
    expect(guard).toEqual({ rules: [], otherwise: { 4: 'allow', 6: 'deny' } });
  });
});

describe('a whole set of rules written by ufw', () => {
  const guard = parsed(WRITTEN);

  it('is read completely', () => {
    const inputs = (text: string) =>
      text
        .split('\n')
        .filter(line => /^-A ufw6?-user-input .*-j (ACCEPT|DROP|REJECT|\S+-limit-accept)/.test(line)).length;
    const withoutPorts = 2; // of the protocols gre and esp
    expect(guard.rules.filter(rule => rule.family === 4)).toHaveLength(inputs(WRITTEN.rules) - withoutPorts);
    expect(guard.rules.filter(rule => rule.family === 6)).toHaveLength(inputs(WRITTEN.rules6) - 1);
    expect(guard.otherwise).toEqual({ 4: 'deny', 6: 'deny' });
  });

  const port = fc.oneof(
    fc.constantFrom(22, 25, 53, 80, 443, 514, 853, 1023, 1024, 3306, 8000, 8010, 8011, 9005),
    fc.integer({ min: 8080, max: 8094 }),
    fc.integer({ min: 1, max: 65535 }),
  );
  const packet = (family: 4 | 6): fc.Arbitrary<Packet> => {
    const address =
      family === 4
        ? fc.constantFrom('198.18.0.12', '198.18.0.11', '198.18.9.9', '203.0.113.7', '10.1.2.3', '192.0.2.66')
        : fc.constantFrom('2001:db8::11', '2001:db8:1::1', '2001:db9::1', 'fd99::1');
    return fc.record({
      family: fc.constant(family),
      protocol: fc.constantFrom('tcp', 'udp', 'sctp'),
      port,
      sourcePort: port,
      source: fc.oneof(address, fc.constantFrom(family === 4 ? '198.51.100.9' : '2001:db8:ffff::')),
      destination: address,
      link: fc.constantFrom('eth0', 'eth1', 'my_if.5', 'wlan0'),
    });
  };

  it.each([4, 6] as const)('lets in what the iptables rules of the same file let in, IPv%i', family => {
    const text = family === 4 ? WRITTEN.rules : WRITTEN.rules6;
    fc.assert(
      fc.property(packet(family), one => {
        expect(verdictOf(guard, one)).toBe(iptablesVerdict(text, one) ?? 'deny');
      }),
      { numRuns: 5000 },
    );
  });
});

/** The contract of Guard, as the rules in the kernel have to do it. */
function verdictOf(guard: Guard, packet: Packet): Verdict {
  const inRanges = (ranges: GuardRule['ports'], port: number) =>
    ranges === undefined || ranges.some(([first, last]) => first <= port && port <= last);
  const onLink = (link: string | undefined) =>
    link === undefined ||
    (link.endsWith('*') ? packet.link.startsWith(link.slice(0, -1)) : link === packet.link);
  const rule = guard.rules.find(
    one =>
      one.family === packet.family &&
      (one.protocol === undefined || one.protocol === packet.protocol) &&
      inRanges(one.ports, packet.port) &&
      inRanges(one.sourcePorts, packet.sourcePort) &&
      inNetwork(one.source, packet.source) &&
      inNetwork(one.destination, packet.destination) &&
      onLink(one.link),
  );
  if (rule === undefined) return guard.otherwise[packet.family];
  return rule.limit === true ? 'limit' : rule.action;
}
