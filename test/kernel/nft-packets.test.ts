import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { renderTable } from '../../src/firewall/render.ts';
import { Nft } from '../../src/kernel/nft/nft.ts';
import { removeTable } from '../../src/kernel/nft/table.ts';
import { ELEMENTS, type Place, TestHost, VERSIONS, type Version } from './nft-host.ts';

/** From, to, and whether an echo request passes once the table is there; without it all of them pass. */
const MATRIX: readonly (readonly [Place, Place, boolean])[] = [
  ['a', 'b', true],
  ['a', 'other', false],
  ['other', 'a', false],
  ['a', 'lan', true],
  ['lan', 'a', false],
  ['internalA', 'internalB', true],
  ['internalA', 'lan', false],
  ['lan', 'internalA', false],
  ['internalA', 'a', false],
  ['a', 'internalA', false],
  ['loneA', 'loneB', false],
  ['loneA', 'lan', true],
  ['guest', 'o', true],
  ['o', 'guest', true],
  ['guest', 'lan', true],
  ['lan', 'guest', false],
  ['guest', 'a', false],
  ['a', 'guest', false],
  ['o', 'lan', true],
  ['lan', 'o', true],
  ['o', 'a', false],
];

let lab: TestHost;
let nft: Nft;

beforeAll(async () => {
  lab = await TestHost.create();
  nft = lab.host.run(() => Nft.open());
}, 30_000);

afterAll(async () => {
  await nft.close();
  await lab.down();
});

const matrix = async (version: Version): Promise<string[]> => {
  const lines = MATRIX.map(async ([from, to]) => {
    const passes = await lab.reaches(from, to, version);
    return `${from} -> ${to}: ${passes}`;
  });
  return Promise.all(lines);
};

describe.each(VERSIONS)('IPv%d', version => {
  test('without the table everything reaches everything', async () => {
    await removeTable(nft);
    expect(await matrix(version)).toEqual(MATRIX.map(([from, to]) => `${from} -> ${to}: true`));
  }, 30_000);

  describe('with the table', () => {
    beforeAll(() => nft.run(renderTable(ELEMENTS, undefined)));

    test('passes and drops what it should', async () => {
      expect(await matrix(version)).toEqual(
        MATRIX.map(([from, to, passes]) => `${from} -> ${to}: ${passes}`),
      );
    }, 30_000);

    test('masquerades what leaves the host, of tsnet only', async () => {
      const gateway = TestHost.address('host', version);
      await lab.seen(version);
      for (const place of ['a', 'guest'] as const) {
        expect(await lab.reaches(place, 'lan', version)).toBe(true);
        expect(await lab.seen(version)).toEqual([gateway]);
      }
      expect(await lab.reaches('o', 'lan', version)).toBe(true);
      expect(await lab.seen(version)).toEqual([TestHost.address('o', version)]);
    });

    test('leaves sources alone where masquerading is off', async () => {
      const off = ELEMENTS.filter(element => !element.set.includes('masquerade'));
      await nft.run(renderTable(off, undefined));
      await lab.seen(version);
      for (const place of ['a', 'guest'] as const) {
        expect(await lab.reaches(place, 'lan', version)).toBe(true);
        expect(await lab.seen(version)).toEqual([TestHost.address(place, version)]);
      }
      await nft.run(renderTable(ELEMENTS, undefined));
    });

    test('reaches the host itself and is reached by it, an internal network as well', async () => {
      expect(await lab.reaches('internalA', 'host', version)).toBe(true);
      expect(await lab.host.reaches(TestHost.address('internalA', version))).toBe(true);
      expect(await lab.host.reaches(TestHost.address('guest', version))).toBe(true);
    });

    test('lets ICMP errors of a flow come back', async () => {
      // Beyond the neighbour, which is the second hop and so must say that the time is exceeded.
      const beyond = version === 4 ? '198.18.60.2' : '2001:db8:0:60::2';
      const route = `${beyond}/${version === 4 ? 32 : 128}`;
      await lab.host.batch(`route replace ${route} via ${TestHost.address('lan', version)}`);
      await lab.at('lan').batch(`route replace ${route} dev eth0`);
      const ping = lab.at('a').exec('ping', '-n', '-c1', '-W1', '-t2', beyond);
      await expect(ping).rejects.toMatchObject({ stdout: expect.stringMatching(/exceeded/i) });
    });
  });
});

test('the mark is there for Docker at forward and gone at postrouting, bridged and routed', async () => {
  await nft.run(renderTable(ELEMENTS, undefined));
  await nft.run(`table inet observer {
    counter bridged {}
    counter routed {}
    counter untouched {}
    counter left {}
    chain forward {
      type filter hook forward priority 0;
      iifname "tsb1" oifname "tsb1" meta mark & 0x10000000 == 0x10000000 counter name bridged
      iifname "tsb1" oifname "v-lan" meta mark & 0x10000000 == 0x10000000 counter name routed
      iifname "fbr0" oifname "v-lan" meta mark == 0 counter name untouched
    }
    chain postrouting {
      type filter hook postrouting priority -299;
      meta mark & 0x10000000 == 0x10000000 counter name left
    }
  }`);
  expect(await lab.reaches('a', 'b', 4)).toBe(true);
  expect(await lab.reaches('a', 'lan', 4)).toBe(true);
  expect(await lab.reaches('guest', 'o', 4)).toBe(true);
  expect(await lab.reaches('guest', 'lan', 4)).toBe(true);
  expect(await lab.reaches('o', 'lan', 4)).toBe(true);
  const listing = (await nft.json('list counters table inet observer')) as {
    nftables: { counter?: { name: string; packets: number } }[];
  };
  const counts = Object.fromEntries(
    listing.nftables.flatMap(({ counter }) => (counter ? [[counter.name, counter.packets]] : [])),
  );
  await nft.run('delete table inet observer');
  // Request and reply over the bridge, at least: a ping is repeated when a busy machine answers late.
  expect(counts['bridged']).toBeGreaterThanOrEqual(2);
  expect(counts['routed']).toBeGreaterThanOrEqual(1);
  expect(counts['untouched']).toBeGreaterThanOrEqual(1);
  expect(counts['left']).toBe(0);
});
