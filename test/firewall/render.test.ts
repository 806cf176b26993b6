import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GUARD_CHAINS } from '../../src/firewall/guard.ts';
import { parseTable } from '../../src/firewall/parse.ts';
import { renderTable } from '../../src/firewall/render.ts';
import { CHAINS, MARKER } from '../../src/firewall/skeleton.ts';
import { isLinkName } from '../../src/host-state/names.ts';
import type { FirewallElement, FirewallSet } from '../../src/host-state/types.ts';
import { elementMessages } from '../../src/kernel/nft/element-messages.ts';
import { element } from './arbitrary.ts';

test('of several elements with one key the last stays', () => {
  const map = (value: string): FirewallElement => ({
    set: 'publish6',
    key: ['tcp', '80'],
    value: [value, '80'],
  });
  expect(renderTable([map('2001:db8::1'), map('2001:DB8:0::2')], undefined)).toContain(
    'elements = { tcp . 80 : 2001:db8::2 . 80 }\n',
  );
});

describe('what does not belong in nft text is refused', () => {
  const render = (set: FirewallSet, ...key: string[]) => [
    () => renderTable([{ set, key }], undefined),
    () => elementMessages([{ set, key }], []),
    () => elementMessages([], [{ set, key }]),
  ];

  test.each([
    '',
    '*',
    'eth*',
    'a"',
    'a\\*',
    'a b',
    'a\nb',
    'a;b',
    '$x',
    'a}',
    '../a',
    'sixteen-letters-',
    'ä',
    'a\0',
    '"}; flush ruleset',
  ])('the interface name %j', name => {
    for (const attempt of render('bridges', name)) {
      expect(attempt).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
    }
  });

  test('any interface name with another character', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 20 }).filter(name => !isLinkName(name)),
        fc.nat(1),
        (name, place) => {
          const key = place === 0 ? [name, 'br0'] : ['br0', name];
          for (const attempt of render('same_bridge', ...key)) expect(attempt).toThrow();
        },
      ),
    );
  });

  test('any text that is let through has no character that means something to nft outside of quotes', () => {
    fc.assert(
      fc.property(fc.array(element, { minLength: 1 }), elements => {
        const lines = renderTable(elements, undefined).match(/elements = .*/g) ?? [];
        expect(lines).not.toEqual([]);
        for (const line of lines) {
          expect(line.replaceAll(/"[A-Za-z0-9_.@-]{1,15}"/g, 'N')).toMatch(
            /^elements = \{ (tcp|udp|sctp|[N0-9a-f:.,/ ])+ \}$/,
          );
        }
      }),
    );
  });

  test.each([
    ['guest4', '2001:db8::1'],
    ['guest6', '198.18.0.1'],
    ['guest4', '198.18.0.0/24'],
    ['guest4', '198.18.0.1-198.18.0.9'],
    ['guest6', '::ffff:198.18.0.1'],
    ['guest4', 'localhost'],
  ] as const)('in the set %s the address %s', (set, address) => {
    for (const attempt of render(set, 'br0', address)) {
      expect(attempt).toThrow(expect.objectContaining({ code: 'ADDRESS_INVALID' }));
    }
  });

  const refused = (code: string, one: FirewallElement): void => {
    const attempts = [
      () => renderTable([one], undefined),
      () => elementMessages([one], []),
      () => elementMessages([], [one]),
    ];
    for (const attempt of attempts) expect(attempt).toThrow(expect.objectContaining({ code }));
  };

  test.each([
    ['bridges', []],
    ['bridges', ['a', 'b']],
    ['same_bridge', ['a']],
    ['publish_at4', ['tcp', '80']],
  ] as const)('a key of the wrong length in %s', (set, key) => {
    refused('INTERNAL', { set, key, ...(set === 'publish_at4' ? { value: ['198.18.0.2', '80'] } : {}) });
  });

  test.each(['0', '65536', '080', '', '-1', '80-90', '8e1', 'http', '*', '80 }'])('the port %j', port => {
    refused('INTERNAL', { set: 'open4', key: ['198.18.0.2', 'tcp', port] });
    refused('INTERNAL', { set: 'publish4', key: ['tcp', port], value: ['198.18.0.2', '80'] });
    refused('INTERNAL', { set: 'publish4', key: ['tcp', '80'], value: ['198.18.0.2', port] });
  });

  test.each(['TCP', 'icmp', '6', '', 'tcp; flush ruleset'])('the protocol %j', protocol => {
    refused('INTERNAL', { set: 'publish4', key: [protocol, '80'], value: ['198.18.0.2', '80'] });
  });

  test.each([
    ['allow_from4', '198.18.0.2', '198.18.0.1'],
    ['allow_from4', '198.18.0.2', '198.18.0.1/24'],
    ['allow_from4', '198.18.0.2', '198.18.0.0/33'],
    ['allow_from4', '198.18.0.2', '2001:db8::/32'],
    ['allow_from4', '198.18.0.0/24', '198.18.0.0/24'],
    ['allow_from6', '2001:db8::1', '2001:db8::1/64'],
    ['allow_from6', '2001:db8::1', '198.18.0.0/24'],
  ] as const)('in %s the key %s . %s', (set, ...key) => {
    refused('ADDRESS_INVALID', { set, key });
  });

  test('a value where there is none to be, none where there is, and one of another family', () => {
    refused('INTERNAL', { set: 'bridges', key: ['br0'], value: ['br0'] });
    refused('INTERNAL', { set: 'publish4', key: ['tcp', '80'] });
    refused('INTERNAL', { set: 'publish4', key: ['tcp', '80'], value: ['198.18.0.2'] });
    refused('ADDRESS_INVALID', { set: 'publish4', key: ['tcp', '80'], value: ['2001:db8::1', '80'] });
    refused('ADDRESS_INVALID', {
      set: 'published_source6',
      key: ['br0', '2001:db8::2'],
      value: ['198.18.0.1'],
    });
  });
});

describe('parseTable', () => {
  test('reads what other versions of nft write', () => {
    const nftables = [
      { table: { family: 'inet', name: 'tsnet' } },
      {
        map: {
          ...{ family: 'inet', table: 'tsnet', name: 'publish_at4' },
          elem: [
            [{ concat: ['127.0.0.1', 6, 8080] }, { concat: ['198.18.0.2', 80] }],
            [{ concat: ['127.0.0.1', 132, 8080] }, { concat: ['198.18.0.2', 80] }],
          ],
        },
      },
      {
        set: {
          ...{ family: 'inet', table: 'tsnet', name: 'allow_from4' },
          elem: [
            { concat: ['198.18.0.2', { range: ['198.18.4.0', '198.18.5.255'] }] },
            {
              concat: [{ prefix: { addr: '198.18.0.3', len: 32 } }, { prefix: { addr: '0.0.0.0', len: 0 } }],
            },
            { concat: ['198.18.0.4', { range: ['198.18.4.0', '198.18.4.2'] }] },
            { concat: ['198.18.0.5', { range: ['198.18.4.1', '198.18.4.2'] }] },
          ],
        },
      },
      {
        set: {
          ...{ family: 'inet', table: 'tsnet', name: 'allow_from6' },
          elem: [{ concat: ['2001:db8::1', { range: ['::1.2.0.0', '::1.2.255.255'] }] }],
        },
      },
    ];
    expect(parseTable({ nftables }).elements).toEqual([
      { set: 'publish_at4', key: ['127.0.0.1', 'tcp', '8080'], value: ['198.18.0.2', '80'] },
      { set: 'publish_at4', key: ['127.0.0.1', 'sctp', '8080'], value: ['198.18.0.2', '80'] },
      { set: 'allow_from4', key: ['198.18.0.2', '198.18.4.0/23'] },
      { set: 'allow_from4', key: ['198.18.0.3', '0.0.0.0/0'] },
      { set: 'allow_from6', key: ['2001:db8::1', '::102:0/112'] },
    ]);
  });

  test.each([undefined, null, {}, { nftables: [] }, { nftables: 'x' }, [], 'text'])('%j: absent', listing => {
    expect(parseTable(listing)).toEqual({ skeleton: 'absent', elements: [] });
  });

  test('does not take the table of another family or name for its own', () => {
    const nftables = [
      { table: { family: 'ip', name: 'tsnet' } },
      { table: { family: 'inet', name: 'tsnet2' } },
      { set: { family: 'inet', table: 'tsnet2', name: 'bridges', elem: ['a'] } },
    ];
    expect(parseTable({ nftables })).toEqual({ skeleton: 'absent', elements: [] });
  });

  test('leaves out elements that tsnet cannot have made, and says that something is wrong', () => {
    const set = (name: string, ...elem: unknown[]) => ({
      set: { family: 'inet', table: 'tsnet', name, elem },
    });
    const nftables = [
      { table: { family: 'inet', name: 'tsnet' } },
      set('bridges', 'good', 'wild*', { elem: { val: 'x', timeout: 5 } }, null),
      set('same_bridge', { concat: ['a', 'a'] }, 'a'),
      set('mine', 'a'),
    ];
    expect(parseTable({ nftables })).toEqual({
      skeleton: 'other',
      elements: [
        { set: 'bridges', key: ['good'] },
        { set: 'same_bridge', key: ['a', 'a'] },
      ],
    });
  });
});

test('every chain that is jumped to exists, and the marker is none of them', () => {
  const names = [...CHAINS.map(chain => chain.name), ...GUARD_CHAINS];
  const targets = CHAINS.flatMap(chain => chain.rules).flatMap(
    rule => /(?:goto|jump) (\S+)/.exec(rule)?.[1] ?? [],
  );
  expect(targets.length).toBeGreaterThan(0);
  for (const target of targets) expect(names).toContain(target);
  expect(names).not.toContain(MARKER);
});
