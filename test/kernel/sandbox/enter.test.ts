import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readEnd } from '../../../src/kernel/sandbox/end.ts';
import { inSandbox } from '../../../src/kernel/sandbox/enter.ts';
import { sandboxLinks, viewSandbox } from '../../../src/kernel/sandbox/view.ts';
import { readSysctl } from '../../../src/kernel/sysctl.ts';
import { endAt, inOwnSandbox, openNamespaces, openSockets, putEnd } from './own-sandbox.ts';

const own = inOwnSandbox();
/** A path that the file system refuses to follow: what is closed to a process of root is hard to come by otherwise. */
let closed: string;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sandbox-test-'));
  closed = join(directory, 'loop');
  await symlink(closed, closed);
});
afterAll(() => rm(directory, { recursive: true }));

describe('inside a sandbox', () => {
  it('are its links and its parameters', async () => {
    await own.sandbox.sh('ip link add tb9 type bridge; echo 1 >/proc/sys/net/ipv4/conf/tb9/log_martians');
    const seen = await inSandbox(own.sandbox.path, async ({ rtnetlink, namespace }) => ({
      link: (await rtnetlink.link('tb9'))?.name,
      ofHost: await rtnetlink.link('tb0'),
      value: namespace.run(() => readSysctl('net/ipv4/conf/tb9/log_martians')),
      ofHostValue: namespace.run(() => readSysctl('net/ipv4/conf/tb0/log_martians')),
    }));
    expect(seen).toEqual({ link: 'tb9', ofHost: undefined, value: '1', ofHostValue: undefined });
  });

  it.each([
    ['succeeds', async () => undefined],
    [
      'fails',
      async () => {
        throw new Error('inside');
      },
    ],
  ])('nothing stays open when what is done there %s', async (_, action) => {
    const before = [openNamespaces(), openSockets()];
    const during = await inSandbox(own.sandbox.path, async () => [openNamespaces(), openSockets()]);
    expect(during).not.toEqual(before);
    await inSandbox(own.sandbox.path, action).catch(error =>
      expect(error).toMatchObject({ message: 'inside' }),
    );
    expect([openNamespaces(), openSockets()]).toEqual(before);
  });
});

describe('a sandbox that is closed to tsnet', () => {
  it('is told of by those who need to enter it', async () => {
    const problem = { name: 'NamespaceError', problem: 'denied' };
    await expect(inSandbox(closed, async () => 'inside')).rejects.toMatchObject(problem);
    await expect(putEnd(endAt({ sandbox: closed, name: 'eth100' }))).rejects.toMatchObject(problem);
    await expect(sandboxLinks(closed)).rejects.toMatchObject(problem);
  });

  it('is left to the engine by those who only look', async () => {
    expect(await viewSandbox(closed, [4, 6])).toBeUndefined();
    expect(await own.kernel.viewSandbox(closed, [4, 6])).toBeUndefined();
    expect(await readEnd(endAt({ sandbox: closed, name: 'eth100' }))).toBeUndefined();
  });
});
