import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { renderElements, renderTable } from '../../src/firewall/render.ts';
import { CHAINS, MARKER } from '../../src/firewall/skeleton.ts';
import { Nft } from '../../src/kernel/nft/nft.ts';
import { readTable, removeTable } from '../../src/kernel/nft/table.ts';
import { type NftNamespace, nftNamespace } from '../kernel/nft-namespace.ts';
import { element, normal } from './arbitrary.ts';

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
      await nft.run(renderTable(wanted));
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
      await nft.run(renderTable(kept));
      const before = await namespace.exec('nft', 'list', 'ruleset');
      await nft.run(renderElements(goes, []));
      await nft.run(renderElements(goes, goes));
      expect(normal((await readTable(nft)).elements)).toEqual(normal([...kept, ...goes]));
      for (const detour of detours) {
        const others = detour.filter(one => !stays.has(normal([one])[0] ?? ''));
        await nft.run(renderElements(others, goes));
        await nft.run(renderElements(goes, others));
      }
      await nft.run(renderElements([], goes));
      await nft.run(renderElements([], goes));
      expect(await namespace.exec('nft', 'list', 'ruleset')).toBe(before);
    }),
    { numRuns: 40 },
  );
});

test('replaces a table whatever was in it, and touches no other', async () => {
  await nft.run(
    'table inet other { chain c { }\n }\ntable inet tsnet { set bridges { type inet_service; }\n }\n',
  );
  expect((await readTable(nft)).skeleton).toBe('other');
  await nft.run(renderTable([{ set: 'bridges', key: ['br0'] }]));
  expect(await readTable(nft)).toEqual({ skeleton: 'intact', elements: [{ set: 'bridges', key: ['br0'] }] });
  expect(await namespace.exec('nft', 'list', 'table', 'inet', 'other')).toContain('chain c');
  await removeTable(nft);
  await removeTable(nft);
  expect(await readTable(nft)).toEqual({ skeleton: 'absent', elements: [] });
  expect(await namespace.exec('nft', 'list', 'tables')).toBe('table inet other');
});

test('iptables of the nft backend is not disturbed by the table', async () => {
  await nft.run(renderTable([{ set: 'bridges', key: ['br0'] }]));
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
    dormant: async () => 'table inet tsnet { flags dormant; }',
  };
  for (const { name, rules } of CHAINS) {
    changes[`chain ${name} without rules`] = async () => `flush chain inet tsnet ${name}`;
    if (rules.length > 0) {
      changes[`chain ${name} without its first rule`] = async () =>
        `delete rule inet tsnet ${name} handle ${await first(name)()}`;
    }
  }

  test.each(Object.entries(changes))('%s', async (_, change) => {
    const wanted = [{ set: 'bridges', key: ['br0'] }] as const;
    await nft.run(renderTable(wanted));
    await nft.run(await change());
    expect(await readTable(nft)).toEqual({ skeleton: 'other', elements: wanted });
  });
});
