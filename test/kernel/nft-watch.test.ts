import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { renderTable } from '../../src/firewall/render.ts';
import type { FirewallElement } from '../../src/host-state/types.ts';
import type { NftChange } from '../../src/kernel/nft/changes.ts';
import { Nft } from '../../src/kernel/nft/nft.ts';
import { NftWatch } from '../../src/kernel/nft/watch.ts';
import { type NftNamespace, nftNamespace } from './nft-namespace.ts';
import { waitFor } from './wait-for.ts';

const BRIDGE: FirewallElement = { set: 'bridges', key: ['tsb1'] };
let namespace: NftNamespace;
let nft: Nft;
let watch: NftWatch;
let changes: (NftChange | 'unknown')[];

const onError = (error: Error): never => {
  throw error;
};
const tables = (): string[] =>
  changes.map(change => (change === 'unknown' ? change : `${change.family} ${change.table}`));

const startWatch = (queue?: number): NftWatch =>
  namespace.run(
    () =>
      new NftWatch({
        own: () => nft.ports,
        onChange: change => changes.push(change),
        onError,
        ...(queue === undefined ? {} : { queue }),
      }),
  );

beforeEach(async () => {
  namespace = await nftNamespace();
  changes = [];
  nft = namespace.run(() => Nft.open());
  watch = startWatch();
});

afterEach(async () => {
  await watch.close();
  await nft.close();
  await namespace[Symbol.asyncDispose]();
});

test('tells what others change, within a second, and not what the own context does', async () => {
  await nft.run(renderTable([], undefined));
  await nft.elements.change([BRIDGE], []);
  const start = performance.now();
  await namespace.exec('nft', 'add element inet tsnet no_icc { "other" }');
  await waitFor('a change of an element', () => changes.length > 0);
  expect(performance.now() - start).toBeLessThan(1000);
  expect(tables()).toEqual(['inet tsnet']);

  changes.length = 0;
  await nft.elements.change([], [BRIDGE]);
  await nft.run(renderTable([BRIDGE], undefined));
  await namespace.exec('nft', 'flush', 'ruleset');
  await waitFor('a flush', () => changes.length > 0);
  expect(new Set(tables())).toEqual(new Set(['inet tsnet']));
});

test('tells what iptables does', async () => {
  await namespace.exec('iptables', '-N', 'DOCKER-USER');
  await waitFor('a change of ip filter', () => tables().includes('ip filter'));
  changes.length = 0;
  await namespace.exec('ip6tables', '-N', 'DOCKER-USER');
  await waitFor('a change of ip6 filter', () => tables().includes('ip6 filter'));
});

test('does not hear of another namespace', async () => {
  const other = await nftNamespace();
  await other.exec('nft', 'add table inet elsewhere');
  await namespace.exec('nft', 'add table inet here');
  await waitFor('a change', () => changes.length > 0);
  await other[Symbol.asyncDispose]();
  expect(tables()).toEqual(['inet here']);
});

test('loses nothing by the ports of a container, however many', async () => {
  const ports = Array.from(
    { length: 20_000 },
    (_, i): FirewallElement => ({
      set: 'publish4',
      key: ['tcp', `${i + 1}`],
      value: ['198.18.0.2', `${i + 1}`],
    }),
  );
  await nft.run(renderTable([], undefined));
  await nft.elements.change(ports, []);
  await nft.elements.change([], ports);
  await namespace.exec('nft', 'add table inet after');
  await waitFor('a change after that', () => changes.length > 0);
  expect(tables()).toEqual(['inet after']);
});

test('lost notifications count as a change of anything', async () => {
  await watch.close();
  watch = startWatch(64 * 1024);
  // Nothing is read while this thread waits for a synchronous child, so the buffer of the socket overflows.
  const keys = Array.from({ length: 5000 }, (_, i) => `${i + 1}`).join(', ');
  const flood = `add table inet a\nadd set inet a s { type inet_service; }\nadd element inet a s { ${keys} }`;
  execFileSync('nsenter', [`--net=${namespace.path}`, 'nft', '-f', '-'], { input: flood });
  await waitFor('lost notifications', () => changes.includes('unknown'));
  changes.length = 0;
  await namespace.exec('nft', 'add table inet after');
  await waitFor('a change after that', () => tables().includes('inet after'));
});

test('close frees thread and descriptors and reports nothing more', async () => {
  const before = readdirSync('/proc/self/fd').length;
  await watch.close();
  expect(readdirSync('/proc/self/fd').length).toBe(before - 2);
  await namespace.exec('nft', 'add table inet late');
  await watch.close();
  expect(changes).toEqual([]);
});

test.each([
  ['after close', 'await watch.close()'],
  ['by process.exit without close', 'process.exit()'],
  ['by an uncaught error without close', 'setImmediate(() => { throw new Error("deliberate") })'],
])('the process ends %s', async (_, end) => {
  const script = `const { NftWatch } = await import('${new URL('../../src/kernel/nft/watch.ts', import.meta.url)}');
    const watch = new NftWatch({ own() {}, onChange() {}, onError() {} });
    await new Promise(setImmediate);
    console.log('listening');
    ${end};`;
  const args = ['--net', process.execPath, '--input-type=module', '-e', script];
  const ended = await execa('unshare', args, { reject: false, timeout: 10_000 });
  expect(ended.stdout).toBe('listening');
  expect(ended.timedOut).toBe(false);
});
