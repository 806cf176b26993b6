import { readlinkSync } from 'node:fs';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NetworkNamespace } from '../../src/kernel/netns.ts';
import { Rtnetlink } from '../../src/kernel/rtnetlink/rtnetlink.ts';
import { sandboxLinks } from '../../src/kernel/sandbox/view.ts';
import { testNamespace } from './namespace.ts';

// Synchronous: the asynchronous form would look at a worker thread.
const current = () => readlinkSync('/proc/thread-self/ns/net');
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'netns-test-'));
  await writeFile(join(directory, 'file'), '');
  await execa('mkfifo', [join(directory, 'fifo')]);
});
afterAll(() => rm(directory, { recursive: true }));

describe('a network namespace', () => {
  it('is entered for a synchronous action only', async () => {
    await using ns = await testNamespace();
    const home = current();
    const namespace = NetworkNamespace.open(ns.path);
    const inside = namespace.run(current);
    expect(inside).not.toBe(home);
    expect(current()).toBe(home);
    namespace.close();
  });

  it('is left when the action throws', async () => {
    await using ns = await testNamespace();
    const home = current();
    const namespace = NetworkNamespace.open(ns.path);
    const action = () => {
      throw new Error('inside');
    };
    expect(() => namespace.run(action)).toThrow('inside');
    expect(current()).toBe(home);
    namespace.close();
  });

  it('holds what is opened inside, after the path has gone', async () => {
    const ns = await testNamespace();
    using rtnl = Rtnetlink.open(ns.path);
    await ns.ip('link', 'add', 'tb0', 'type', 'bridge');
    await ns[Symbol.asyncDispose]();
    expect(await rtnl.link('tb0')).toMatchObject({ kind: 'bridge' });
    // Two at once need a second socket, which is opened through the descriptor and not the path.
    const both = await Promise.all([rtnl.link('lo'), rtnl.links()]);
    expect(both[1].map(link => link.name)).toEqual(['lo', 'tb0']);
  });

  it('is reached through a symbolic link', async () => {
    await using ns = await testNamespace();
    const link = join(directory, 'link');
    await symlink(ns.path, link);
    expect((await sandboxLinks(link))?.map(({ name }) => name)).toEqual(['lo']);
  });
});

describe.each([
  { what: 'nothing', path: () => join(directory, 'absent'), problem: 'missing' },
  { what: 'something below a file', path: () => join(directory, 'file/x'), problem: 'missing' },
  { what: 'a dead process', path: () => '/proc/4194304/ns/net', problem: 'missing' },
  { what: 'a file', path: () => join(directory, 'file'), problem: 'not-a-namespace' },
  { what: 'a directory', path: () => directory, problem: 'not-a-namespace' },
  { what: 'a FIFO', path: () => join(directory, 'fifo'), problem: 'not-a-namespace' },
  { what: 'a mount namespace', path: () => '/proc/self/ns/mnt', problem: 'not-a-namespace' },
])('$what at the path', ({ path, problem }) => {
  it('is refused with the reason', () => {
    const home = current();
    expect(() => Rtnetlink.open(path())).toThrow(
      expect.objectContaining({ name: 'NamespaceError', problem }),
    );
    expect(current()).toBe(home);
  });

  it('is no sandbox', async () => {
    expect(await sandboxLinks(path())).toBeUndefined();
  });
});
