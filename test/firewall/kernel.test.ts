import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { GUARD_CHAINS, guardVersion } from '../../src/firewall/guard.ts';
import { parseTable } from '../../src/firewall/parse.ts';
import { renderGuard, renderTable } from '../../src/firewall/render.ts';
import { CHAINS, MARKER } from '../../src/firewall/skeleton.ts';
import type { FirewallElement } from '../../src/host-state/types.ts';
import { Nft } from '../../src/kernel/nft/nft.ts';
import { readTable, removeTable } from '../../src/kernel/nft/table.ts';
import { type NftNamespace, nftNamespace } from '../kernel/nft-namespace.ts';
import { element, guard, normal } from './arbitrary.ts';

let namespace: NftNamespace;
let nft: Nft;

beforeAll(async () => {
  namespace = await nftNamespace();
  nft = namespace.run(() => Nft.open());
});

beforeEach(() => nft.run('flush ruleset'));

afterAll(async () => {
  await nft.close();
  await namespace[Symbol.asyncDispose]();
});

const elements = fc.array(element, { maxLength: 30 });

test('any elements rendered with the table and listed come back', async () => {
  await fc.assert(
    fc.asyncProperty(elements, async wanted => {
      await nft.run(renderTable(wanted, undefined));
      const state = await readTable(nft);
      expect(state.skeleton).toBe('intact');
      expect(normal(state.elements)).toEqual(normal(wanted));
    }),
  );
});

test('any elements added and removed, in any order and repeatedly, leave the table as if never there', async () => {
  await fc.assert(
    fc.asyncProperty(elements, elements, fc.array(elements), async (kept, passing, detours) => {
      const stays = new Set(normal(kept));
      const goes = passing.filter(one => !stays.has(normal([one])[0] ?? ''));
      await nft.run(renderTable(kept, undefined));
      const before = await namespace.exec('nft', 'list', 'ruleset');
      await nft.elements.change(goes, []);
      await nft.elements.change(goes, goes);
      expect(normal((await readTable(nft)).elements)).toEqual(normal([...kept, ...goes]));
      for (const detour of detours) {
        const others = detour.filter(one => !stays.has(normal([one])[0] ?? ''));
        await nft.elements.change(others, goes);
        await nft.elements.change(goes, others);
      }
      await nft.elements.change([], goes);
      await nft.elements.change([], goes);
      expect(await namespace.exec('nft', 'list', 'ruleset')).toBe(before);
    }),
    { numRuns: 40 },
  );
});

const map = (value: string): FirewallElement => ({
  set: 'publish4',
  key: ['tcp', '8080'],
  value: [value, '80'],
});

test('what the table was made with is taken out again', async () => {
  await fc.assert(
    fc.asyncProperty(elements, elements, async (kept, passing) => {
      const stays = new Set(normal(kept));
      const goes = passing.filter(one => !stays.has(normal([one])[0] ?? ''));
      await nft.run(renderTable([...kept, ...goes], undefined));
      await nft.elements.change([], goes);
      expect(normal((await readTable(nft)).elements)).toEqual(normal(kept));
    }),
    { numRuns: 40 },
  );
});

test('a mapping is replaced in one transaction', async () => {
  await nft.run(renderTable([map('198.18.0.2')], undefined));
  await nft.elements.change([map('198.18.0.3')], [map('198.18.0.2')]);
  expect((await readTable(nft)).elements).toEqual([map('198.18.0.3')]);
});

test('a container gets its networks beside those of others, whatever these are', async () => {
  const allow = (container: string, client: string): FirewallElement => ({
    set: 'allow_from4',
    key: [container, client],
  });
  const first = [allow('198.18.0.2', '198.18.0.0/15'), allow('198.18.0.4', '0.0.0.0/0')];
  const second = [allow('198.18.0.3', '198.18.1.0/24'), allow('198.18.0.3', '198.18.2.1/32')];
  await nft.run(renderTable(first, undefined));
  await nft.elements.change(second, []);
  expect(normal((await readTable(nft)).elements)).toEqual(normal([...first, ...second]));
  await nft.elements.change([], first);
  expect(normal((await readTable(nft)).elements)).toEqual(normal(second));
  // A network within one that the same container has.
  await expect(nft.elements.change([allow('198.18.0.3', '198.18.1.7/32')], [])).rejects.toThrow();
});

describe('the rules of the host', () => {
  test('any of them are taken, with the table and later, and known again', async () => {
    await fc.assert(
      fc.asyncProperty(guard, guard, async (one, other) => {
        await nft.run(renderTable([], one));
        expect(await readTable(nft)).toEqual({
          skeleton: 'intact',
          elements: [],
          guardVersion: guardVersion(one),
        });
        const before = await namespace.exec('nft', 'list', 'ruleset');
        for (const next of [other, undefined]) {
          await nft.run(renderGuard(next));
          expect((await readTable(nft)).guardVersion).toBe(guardVersion(next));
        }
        await nft.run(renderGuard(one));
        expect(await namespace.exec('nft', 'list', 'ruleset')).toBe(before);
      }),
      { numRuns: 40 },
    );
  });
});

test('names of protocols are not needed in the file system', async () => {
  await nft.run(renderTable([map('198.18.0.2')], undefined));
  const script = 'mount -t tmpfs none /etc && nft -j list table inet tsnet && nft -f -';
  const input = 'add element inet tsnet publish4 { sctp . 8080 : 198.18.0.2 . 80 }\n';
  const listing = await namespace.feed(input, 'unshare', '-m', 'sh', '-c', script);
  expect(listing).toContain('{"concat": [6, 8080]}');
  expect(parseTable(JSON.parse(listing)).elements).toEqual([map('198.18.0.2')]);
  expect((await readTable(nft)).elements).toHaveLength(2);
});

test('replaces a table whatever was in it, and touches no other', async () => {
  await nft.run(
    'table inet other { chain c { }\n }\ntable inet tsnet { set bridges { type inet_service; }\n }\n',
  );
  expect((await readTable(nft)).skeleton).toBe('other');
  await nft.run(renderTable([{ set: 'bridges', key: ['br0'] }], undefined));
  expect(await readTable(nft)).toEqual({
    skeleton: 'intact',
    elements: [{ set: 'bridges', key: ['br0'] }],
    guardVersion: guardVersion(undefined),
  });
  expect(await namespace.exec('nft', 'list', 'table', 'inet', 'other')).toContain('chain c');
  await removeTable(nft);
  await removeTable(nft);
  expect(await readTable(nft)).toEqual({ skeleton: 'absent', elements: [] });
  expect(await namespace.exec('nft', 'list', 'tables')).toBe('table inet other');
});

test('iptables of the nft backend is not disturbed by the table', async () => {
  await nft.run(renderTable([{ set: 'bridges', key: ['br0'] }], undefined));
  await namespace.exec('iptables', '-A', 'FORWARD', '-j', 'ACCEPT');
  expect(await namespace.exec('iptables', '-S', 'FORWARD')).toContain('-A FORWARD -j ACCEPT');
});

describe('a change by hand is noticed', () => {
  const first = (chain: string) => async () => {
    const listing = (await nft.json(`list chain inet tsnet ${chain}`)) as {
      nftables: { rule?: { handle: number } }[];
    };
    return listing.nftables.flatMap(object => object.rule?.handle ?? [])[0];
  };
  const changes: Record<string, () => Promise<string>> = {
    'a rule more': async () => 'insert rule inet tsnet permit drop',
    'a rule in the marker': async () => `add rule inet tsnet ${MARKER} drop`,
    'a chain more': async () => 'add chain inet tsnet mine',
    'a set more': async () => 'add set inet tsnet mine { type mark; }',
    'another marker': async () => `delete chain inet tsnet ${MARKER}\nadd chain inet tsnet skeleton_0`,
    'another policy': async () => 'chain inet tsnet forward { policy drop; }',
    'a map with another name': async () => 'add map inet tsnet mine { type mark : mark; }',
    dormant: async () => 'table inet tsnet { flags dormant; }',
  };
  for (const { name, rules } of CHAINS) {
    changes[`chain ${name} without rules`] = async () => `flush chain inet tsnet ${name}`;
    if (rules.length > 0) {
      changes[`chain ${name} without its first rule`] = async () =>
        `delete rule inet tsnet ${name} handle ${await first(name)()}`;
    }
  }

  for (const name of GUARD_CHAINS) {
    changes[`chain ${name} without rules`] = async () => `flush chain inet tsnet ${name}`;
    changes[`chain ${name} with a rule more`] = async () => `insert rule inet tsnet ${name} drop`;
    changes[`chain ${name} with a rule at its end`] = async () => `add rule inet tsnet ${name} drop`;
  }

  test.each(Object.entries(changes))('%s', async (_, change) => {
    const wanted = [{ set: 'bridges', key: ['br0'] }] as const;
    await nft.run(renderTable(wanted, undefined));
    await nft.run(await change());
    expect(await readTable(nft)).toEqual({ skeleton: 'other', elements: wanted });
  });
});
