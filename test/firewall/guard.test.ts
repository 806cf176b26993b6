import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { guardChains, guardVersion, versionOf } from '../../src/firewall/guard.ts';
import { renderGuard, renderTable } from '../../src/firewall/render.ts';
import type { Guard, GuardRule } from '../../src/host-state/types.ts';
import { guard } from './arbitrary.ts';

const only = (rule: GuardRule): Guard => ({ rules: [rule], otherwise: { 4: 'deny', 6: 'deny' } });
const rulesOf = (rule: GuardRule): readonly string[] =>
  guardChains(only(rule))
    .find(chain => chain.name === `ufw${rule.family}`)
    ?.rules.slice(0, -1) ?? [];

test('without a guard everything is let through', () => {
  expect(guardChains(undefined).map(({ name, rules }) => [name, rules.length, rules[0]])).toEqual([
    ['ufw4', 1, expect.stringMatching(/^goto permit comment "guard [0-9a-f]{16} 1"$/)],
    ['ufw6', 1, expect.stringMatching(/^goto permit comment "guard [0-9a-f]{16} 1"$/)],
  ]);
});

describe('one rule', () => {
  test('about a port of any protocol is one for each that has ports', () => {
    expect(rulesOf({ family: 4, action: 'allow', ports: [[53, 53]] })).toEqual([
      'meta l4proto tcp ct original proto-dst 53 goto permit',
      'meta l4proto udp ct original proto-dst 53 goto permit',
      'meta l4proto sctp ct original proto-dst 53 goto permit',
    ]);
  });

  test('with ranges that overlap or touch has them joined', () => {
    const ports = [
      [90, 95],
      [1, 5],
      [4, 7],
      [8, 9],
    ] as const;
    expect(rulesOf({ family: 4, action: 'deny', protocol: 'udp', ports })).toEqual([
      'meta l4proto udp ct original proto-dst 1-9 counter drop',
      'meta l4proto udp ct original proto-dst 90-95 counter drop',
    ]);
  });

  test('from and to everywhere matches no address', () => {
    expect(rulesOf({ family: 6, action: 'allow', source: '::/0', destination: '::/0' })).toEqual([
      'goto permit',
    ]);
  });

  test('about links that begin alike names them as nft does', () => {
    expect(rulesOf({ family: 4, action: 'deny', link: 'eth*' })).toEqual(['iifname "eth*" counter drop']);
  });

  test.each([
    [{ source: '2001:db8::/32' }, 'ADDRESS_INVALID'],
    [{ destination: '198.18.0.1' }, 'ADDRESS_INVALID'],
    [{ link: 'e*h' }, 'OPTION_INVALID'],
    [{ link: '*' }, 'OPTION_INVALID'],
    [{ link: '"; flush ruleset' }, 'OPTION_INVALID'],
    [{ ports: [[9, 8]] }, 'INTERNAL'],
    [{ ports: [] }, 'INTERNAL'],
    [{ sourcePorts: [[0, 65536]] }, 'INTERNAL'],
    [{ sourcePorts: [[1.5, 2]] }, 'INTERNAL'],
  ] as const)('%j is refused', (part, code) => {
    const wrong = only({ family: 4, action: 'allow', ...part });
    for (const attempt of [
      () => renderGuard(wrong),
      () => renderTable([], wrong),
      () => guardVersion(wrong),
    ]) {
      expect(attempt).toThrow(expect.objectContaining({ code }));
    }
  });
});

describe('the version', () => {
  test('is read back from the comments of the rules, unless one was added or taken away', () => {
    fc.assert(
      fc.property(guard, one => {
        for (const { rules } of guardChains(one)) {
          const comments = rules.map(rule => /comment "(.*)"$/.exec(rule)?.[1]);
          expect(versionOf(comments)).toBe(guardVersion(one));
          expect(versionOf([undefined, ...comments])).toBeUndefined();
          expect(versionOf([...comments, undefined])).toBeUndefined();
          expect(versionOf(comments.slice(1))).toBeUndefined();
        }
      }),
    );
  });

  test('differs where the rules do', () => {
    const deny = only({ family: 4, action: 'deny' });
    const allow = only({ family: 4, action: 'allow' });
    const versions = [undefined, deny, allow, { ...deny, otherwise: { 4: 'allow', 6: 'deny' } as const }];
    expect(new Set(versions.map(guardVersion)).size).toBe(versions.length);
    expect(guardVersion(structuredClone(deny))).toBe(guardVersion(deny));
  });
});
