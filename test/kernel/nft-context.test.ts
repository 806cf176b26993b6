import { readdirSync } from 'node:fs';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Nft } from '../../src/kernel/nft/nft.ts';
import { type NftNamespace, nftNamespace } from './nft-namespace.ts';

let namespace: NftNamespace;
let nft: Nft;

beforeEach(async () => {
  namespace = await nftNamespace();
  nft = namespace.run(() => Nft.open());
});

afterEach(async () => {
  await nft.close();
  await namespace[Symbol.asyncDispose]();
});

test('works in the namespace where it was opened', async () => {
  await nft.run('add table inet here');
  expect(await namespace.exec('nft', 'list', 'tables')).toBe('table inet here');
  expect((await execa('nft', ['list', 'tables'])).stdout).not.toContain('inet here');
});

test('several commands are one transaction', async () => {
  await expect(nft.run('add table inet a\ndelete table inet nowhere\n')).rejects.toThrow();
  expect(await namespace.exec('nft', 'list', 'tables')).toBe('');
});

test.each([
  ['delete table inet nowhere', 'Could not process rule: No such file or directory'],
  ['bogus', /^syntax error/],
])('"%s" fails with the words of nft', async (command, what) => {
  await expect(nft.run(command)).rejects.toMatchObject({
    name: 'TsnetError',
    code: 'FIREWALL',
    what: typeof what === 'string' ? what : expect.stringMatching(what),
  });
});

test('an error leaves no words behind for the next command', async () => {
  await expect(nft.run('bogus')).rejects.toThrow();
  await nft.run('add table inet a');
  await expect(nft.json('list tables')).resolves.toMatchObject({
    nftables: [{}, { table: { family: 'inet', name: 'a' } }],
  });
});

test('commands queue up and keep their order; JSON and text do not mix', async () => {
  const work = [nft.run('add table inet a\nadd set inet a s { type inet_service; }')];
  for (let port = 1; port <= 50; port++) work.push(nft.run(`add element inet a s { ${port} }`));
  const listing = nft.json('list set inet a s');
  await Promise.all(work);
  expect(await listing).toMatchObject({
    nftables: [{}, { set: { elem: Array.from({ length: 50 }, (_, i) => i + 1) } }],
  });
});

// A name would come from getprotobynumber(3), whose one buffer all threads share.
test('lists protocols as numbers', async () => {
  await nft.run(
    'add table inet a\nadd set inet a s { type inet_proto; }\nadd element inet a s { tcp, sctp }',
  );
  expect(await nft.json('list set inet a s')).toMatchObject({ nftables: [{}, { set: { elem: [6, 132] } }] });
});

test('does not hold up the event loop', async () => {
  const keys = Array.from({ length: 5000 }, (_, i) => `${i + 1}`).join(', ');
  let turns = 0;
  let isOver = false;
  const turn = () => {
    turns++;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  await nft.run(
    `add table inet a\nadd set inet a s { type inet_service; }\nadd element inet a s { ${keys} }`,
  );
  isOver = true;
  expect(turns).toBeGreaterThan(5);
});

test('tells what is missing from what cannot be listed', async () => {
  expect(await nft.jsonIfExists('list table inet nowhere')).toBeUndefined();
  await expect(nft.jsonIfExists('list nonsense')).rejects.toMatchObject({ code: 'FIREWALL' });
});

test('close waits for what is under way, frees the socket, and refuses more', async () => {
  const other = namespace.run(() => Nft.open());
  const before = readdirSync('/proc/self/fd').length;
  const last = other.run('add table inet last');
  await other.close();
  await last;
  await other.close();
  expect(other.ports).toEqual([]);
  expect(readdirSync('/proc/self/fd').length).toBe(before - 2);
  await expect(other.run('add table inet more')).rejects.toMatchObject({ code: 'FIREWALL' });
  const element = { set: 'bridges', key: ['tsb1'] } as const;
  await expect(other.elements.change([element], [])).rejects.toMatchObject({ code: 'FIREWALL' });
  expect(await namespace.exec('nft', 'list', 'tables')).toBe('table inet last');
});

test('a host without the library: an error that names the package, at opening and not at import', async () => {
  // A mount namespace in which the dynamic linker finds something that is no library.
  const hide =
    'for f in $(ldconfig -p | sed -n "s/.*libnftables.so.1 .*=> //p"); do mount --bind /dev/null "$(readlink -f $f)"; done';
  const script = `const { Nft } = await import('${new URL('../../src/kernel/nft/nft.ts', import.meta.url)}');
    try { Nft.open(); } catch (error) { console.log(error.code, error.message); }`;
  const command = `${hide}; exec "$0" --input-type=module -e "$1"`;
  const { stdout } = await execa('unshare', [
    ...['--mount', '--net', 'sh', '-ec', command, process.execPath, script],
  ]);
  expect(stdout).toMatch(/^FIREWALL .*libnftables\.so\.1.*libnftables1/s);
});

test('asynchronous calls have the stack that libnftables needs, whichever module comes first', async () => {
  const module = (path: string) => `await import('${new URL(`../../src/kernel/${path}`, import.meta.url)}')`;
  const script = `${module('libc.ts')}; const nft = ${module('koffi.ts')};
    console.log(nft.default.config().async_stack_size === nft.ASYNC_STACK);`;
  const { stdout } = await execa(process.execPath, ['--input-type=module', '-e', script]);
  expect(stdout).toBe('true');
});
