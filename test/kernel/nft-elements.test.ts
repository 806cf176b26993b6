import { afterEach, beforeEach, expect, test } from 'vitest';
import { renderTable } from '../../src/firewall/render.ts';
import { isFirewallSet, keyFields, SETS, valueFields } from '../../src/firewall/sets.ts';
import type { FirewallElement, FirewallSet } from '../../src/host-state/types.ts';
import { elementMessages } from '../../src/kernel/nft/element-messages.ts';
import { Nft } from '../../src/kernel/nft/nft.ts';
import { readTable } from '../../src/kernel/nft/table.ts';
import { type NftNamespace, nftNamespace } from './nft-namespace.ts';

let namespace: NftNamespace;
let nft: Nft;

beforeEach(async () => {
  namespace = await nftNamespace();
  nft = namespace.run(() => Nft.open());
  await nft.run(renderTable([], undefined));
});

afterEach(async () => {
  await nft.close();
  await namespace[Symbol.asyncDispose]();
});

const publish = (port: number, address = '198.18.0.2'): FirewallElement => ({
  set: 'publish4',
  key: ['tcp', String(port)],
  value: [address, '80'],
});
const bridge = (name: string): FirewallElement => ({ set: 'bridges', key: [name] });
const there = async () => (await readTable(nft)).elements;

/** One of each field, as nft(8) writes it. */
const ADDRESSES = { 4: '198.18.200.7', 6: '2001:db8::ff:7' } as const;
const written: Readonly<Record<string, string>> = {
  bridges: '"br-0.1@x"',
  same_bridge: '"a" . "b"',
  guest4: `"br0" . ${ADDRESSES[4]}`,
  guest6: `"br0" . ${ADDRESSES[6]}`,
  publish4: `udp . 65535 : ${ADDRESSES[4]} . 8080`,
  publish6: `sctp . 1 : ${ADDRESSES[6]} . 8080`,
  publish_at4: `198.18.0.1 . tcp . 443 : ${ADDRESSES[4]} . 8443`,
  self4: `${ADDRESSES[4]} . ${ADDRESSES[4]}`,
  published_source6: `"br0" . ${ADDRESSES[6]} : 2001:db8::1`,
  restricted4: ADDRESSES[4],
  allow_from4: `${ADDRESSES[4]} . 198.18.4.0/22`,
  allow_from6: `${ADDRESSES[6]} . 2001:db8:4::/46`,
  open6: `${ADDRESSES[6]} . tcp . 80`,
};

test.each(Object.entries(written))('in %s, nft and tsnet mean the same by %s', async (set, text) => {
  await nft.run(`add element inet tsnet ${set} { ${text} }\n`);
  const listed = await there();
  expect(listed).toHaveLength(1);
  await nft.elements.change([], listed);
  expect(await there()).toEqual([]);
  await nft.elements.change(listed, []);
  expect(await there()).toEqual(listed);
  await nft.run(`delete element inet tsnet ${set} { ${text} }\n`);
  expect(await there()).toEqual([]);
});

test('the sets above have every sort of field', () => {
  const shapes = (sets: readonly FirewallSet[]) => ({
    keys: new Set(sets.flatMap(keyFields)),
    values: new Set(sets.flatMap(set => valueFields(set) ?? [])),
  });
  expect(shapes(Object.keys(written).filter(isFirewallSet))).toEqual(shapes(SETS));
});

test('nothing to do is no message', () => {
  expect(elementMessages([], [])).toEqual([]);
});

test('what is refused leaves everything as it was, and names the set', async () => {
  await nft.elements.change([publish(80)], []);
  const clash = nft.elements.change([bridge('tsb1'), publish(80, '198.18.0.3')], []);
  await expect(clash).rejects.toMatchObject({
    code: 'FIREWALL',
    what: expect.stringMatching(/^addition of tcp 80 in publish4: EEXIST /),
  });
  expect(await there()).toEqual([publish(80)]);
});

test('without the table: an error, also for what is to be taken out', async () => {
  await nft.run('delete table inet tsnet');
  for (const change of [
    () => nft.elements.change([bridge('a')], []),
    () => nft.elements.change([], [bridge('a')]),
  ]) {
    await expect(change()).rejects.toMatchObject({
      code: 'FIREWALL',
      what: expect.stringContaining('ENOENT'),
    });
  }
});

test('what has gone already is taken out beside what has not', async () => {
  await nft.elements.change([publish(1), publish(2), bridge('a')], []);
  await nft.elements.change([bridge('b')], [publish(2), publish(3), bridge('a')]);
  expect(await there()).toEqual(expect.arrayContaining([publish(1), bridge('b')]));
  expect(await there()).toHaveLength(2);
});

test('many thousand ports are one transaction', async () => {
  const ports = Array.from({ length: 20_000 }, (_, index) => publish(index + 1));
  await nft.elements.change([...ports, bridge('a')], []);
  expect(await there()).toHaveLength(20_001);
  await expect(nft.elements.change([...ports, publish(1, '198.18.0.9')], [])).rejects.toThrow();
  const moved = ports.map(({ key }) => publish(Number(key[1]), '198.18.0.9'));
  await nft.elements.change(moved, ports);
  expect(await there()).toEqual(
    expect.arrayContaining([publish(1, '198.18.0.9'), publish(20_000, '198.18.0.9')]),
  );
  await nft.elements.change([], [...moved, bridge('a')]);
  expect(await there()).toEqual([]);
});

test('changes that are asked for at once keep their order', async () => {
  const changes = Array.from({ length: 40 }, (_, turn) =>
    turn % 2 === 0 ? nft.elements.change([bridge('a')], []) : nft.elements.change([], [bridge('a')]),
  );
  await Promise.all(changes);
  expect(await there()).toEqual([]);
});
