import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseTable } from '../../src/firewall/parse.ts';
import { renderElements, renderTable } from '../../src/firewall/render.ts';
import { CHAINS, MARKER } from '../../src/firewall/skeleton.ts';
import { isLinkName } from '../../src/host-state/names.ts';
import type { FirewallSet } from '../../src/host-state/types.ts';
import { element } from './arbitrary.ts';

/** `vitest run -u` rewrites them. */
const golden = (name: string): string => new URL(`golden/${name}`, import.meta.url).pathname;

describe('golden files', () => {
  // The marker is a hash of the rest, so a change of the skeleton shows here, and is a new version of it.
  test('the empty table', async () => {
    await expect(renderTable([])).toMatchFileSnapshot(golden('empty.nft'));
  });

  test('a table with an own and a foreign bridge', async () => {
    const table = renderTable([
      { set: 'bridges', key: ['tsb0123456789'] },
      { set: 'same_bridge', key: ['tsb0123456789', 'tsb0123456789'] },
      { set: 'same_bridge', key: ['br0', 'br0'] },
      { set: 'masquerade4', key: ['tsb0123456789'] },
      { set: 'guest4', key: ['br0', '198.18.0.2'] },
      { set: 'guest6', key: ['br0', '2001:DB8:0::2'] },
    ]);
    await expect(table).toMatchFileSnapshot(golden('two-bridges.nft'));
  });
});

describe('renderElements', () => {
  test('nothing to do is no text', () => {
    expect(renderElements([], [])).toBe('');
  });

  test('one line for each set and verb', () => {
    const text = renderElements(
      [
        { set: 'bridges', key: ['a'] },
        { set: 'bridges', key: ['b'] },
        { set: 'same_bridge', key: ['a', 'a'] },
      ],
      [{ set: 'internal', key: ['a'] }],
    );
    expect(text.split('\n')).toEqual([
      'add element inet tsnet internal { "a" }',
      'delete element inet tsnet internal { "a" }',
      'add element inet tsnet bridges { "a", "b" }',
      'add element inet tsnet same_bridge { "a" . "a" }',
      '',
    ]);
  });
});

describe('what does not belong in nft text is refused', () => {
  const render = (set: FirewallSet, ...key: string[]) => [
    () => renderTable([{ set, key }]),
    () => renderElements([{ set, key }], []),
    () => renderElements([], [{ set, key }]),
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
      fc.property(fc.array(element), fc.array(element), (add, remove) => {
        for (const line of renderElements(add, remove).split('\n').filter(Boolean)) {
          expect(line.replaceAll(/"[A-Za-z0-9_.@-]{1,15}"/g, 'N')).toMatch(
            /^(add|delete) element inet tsnet [a-z0-9_]+ \{ [N0-9a-f:., ]+ \}$/,
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

  test.each([
    ['bridges', []],
    ['bridges', ['a', 'b']],
    ['same_bridge', ['a']],
  ] as const)('a key of the wrong length in %s', (set, key) => {
    for (const attempt of render(set, ...key)) {
      expect(attempt).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
    }
  });
});

describe('parseTable', () => {
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
      set('bridges', 'good', 'wild*', { elem: { val: 'x', timeout: 5 } }, 7),
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
  const names = CHAINS.map(chain => chain.name);
  const targets = CHAINS.flatMap(chain => chain.rules).flatMap(
    rule => /(?:goto|jump) (\S+)/.exec(rule)?.[1] ?? [],
  );
  expect(targets.length).toBeGreaterThan(0);
  for (const target of targets) expect(names).toContain(target);
  expect(names).not.toContain(MARKER);
});
