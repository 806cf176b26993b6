import { afterEach, beforeEach, expect, test } from 'vitest';
import { KEEPER_TABLE, keepFlows } from '../../src/kernel/nft/flow-keeper.ts';
import { type NftNamespace, nftNamespace } from './nft-namespace.ts';

let namespace: NftNamespace;
const tables = () => namespace.exec('nft', 'list', 'tables');

beforeEach(async () => {
  namespace = await nftNamespace();
});
afterEach(() => namespace[Symbol.asyncDispose]());

test('a flush of everything, and others, leave the table alone', async () => {
  const keeper = await namespace.run(() => keepFlows());
  await namespace.exec('nft', 'add', 'table', 'inet', 'other');
  const before = await namespace.exec('nft', 'list', 'table', ...KEEPER_TABLE.split(' '));
  expect(before).toContain('ct state new');
  await namespace.exec('nft', 'flush', 'ruleset');
  expect(await tables()).toBe(`table ${KEEPER_TABLE}`);
  await expect(namespace.exec('nft', 'delete', 'table', ...KEEPER_TABLE.split(' '))).rejects.toThrow();
  expect(await namespace.exec('nft', 'list', 'table', ...KEEPER_TABLE.split(' '))).toBe(before);
  await keeper.close();
});

test('it ends with its owner, and can be made again', async () => {
  const keeper = await namespace.run(() => keepFlows());
  await keeper.close();
  expect(await tables()).toBe('');
  const next = await namespace.run(() => keepFlows());
  expect(await tables()).toBe(`table ${KEEPER_TABLE}`);
  await next.close();
});

test('of two the second is refused', async () => {
  const keeper = await namespace.run(() => keepFlows());
  await expect(namespace.run(() => keepFlows())).rejects.toMatchObject({ code: 'FIREWALL' });
  expect(await tables()).toBe(`table ${KEEPER_TABLE}`);
  await keeper.close();
});
