import { describe, expect, test } from 'vitest';
import {
  countLegacyRules,
  dropsByPolicy,
  findMarkRules,
  insertMarkRule,
} from '../../src/firewall/docker-user.ts';

const MATCH = {
  match: { op: '==', left: { '&': [{ meta: { key: 'mark' } }, 0x10000000] }, right: 0x10000000 },
};
const COUNTER = { counter: { packets: 1, bytes: 2 } };
const ACCEPT = { accept: null };
const listing = (...rules: unknown[][]) => ({
  nftables: [
    { metainfo: {} },
    { chain: { family: 'ip', table: 'filter', name: 'DOCKER-USER', handle: 1 } },
    ...rules.map((expr, index) => ({ rule: { handle: index + 2, expr } })),
  ],
});

describe('findMarkRules', () => {
  test('finds every form in which the rule can be listed', () => {
    expect(
      findMarkRules(
        listing(
          [MATCH, COUNTER, ACCEPT],
          [MATCH, { xt: { type: 'match', name: 'comment' } }, COUNTER, ACCEPT],
          [MATCH, { xt: null }, COUNTER, ACCEPT],
          [MATCH, ACCEPT],
        ),
      ),
    ).toEqual([2, 3, 4, 5]);
  });

  test('does not take for its own what does something else', () => {
    const interfaceMatch = { match: { op: '==', left: { meta: { key: 'iifname' } }, right: 'eth9' } };
    const otherMark = { match: { ...MATCH.match, right: 0x20000000 } };
    expect(
      findMarkRules(
        listing(
          [interfaceMatch, MATCH, COUNTER, ACCEPT],
          [otherMark, COUNTER, ACCEPT],
          [MATCH, COUNTER, { drop: null }],
          [MATCH, { xt: { type: 'match', name: 'conntrack' } }, COUNTER, ACCEPT],
          [COUNTER, ACCEPT],
          [COUNTER, { return: null }],
          [],
        ),
      ),
    ).toEqual([]);
  });

  test.each([undefined, {}, { nftables: [] }, 'text'])('%j has none', value => {
    expect(findMarkRules(value)).toEqual([]);
  });
});

test('countLegacyRules counts whole lines only', () => {
  const rule = '-A DOCKER-USER -m mark --mark 0x10000000/0x10000000 -m comment --comment tsnet -j ACCEPT';
  expect(countLegacyRules(`-N DOCKER-USER\n${rule}\n-A DOCKER-USER -j RETURN\n${rule}`)).toBe(2);
  expect(countLegacyRules(rule.replace('-m mark', '-i eth9 -m mark'))).toBe(0);
  expect(countLegacyRules('')).toBe(0);
});

test('the inserted rule', () => {
  expect(insertMarkRule('ip6', 'DOCKER-USER')).toBe(
    'insert rule ip6 filter DOCKER-USER meta mark & 0x10000000 == 0x10000000 counter accept comment "tsnet"',
  );
});

test('a policy of DROP is told from others', () => {
  const chain = (policy?: string) => ({
    nftables: [{ metainfo: {} }, { chain: { family: 'ip', table: 'filter', name: 'FORWARD', policy } }],
  });
  expect(dropsByPolicy(chain('drop'))).toBe(true);
  for (const other of [chain('accept'), chain(), { nftables: [] }, undefined])
    expect(dropsByPolicy(other)).toBe(false);
});
