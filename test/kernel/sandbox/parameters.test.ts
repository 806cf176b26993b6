import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NetworkNamespace } from '../../../src/kernel/netns.ts';
import { Parameters } from '../../../src/kernel/sandbox/parameters.ts';
import { readSysctl } from '../../../src/kernel/sysctl.ts';
import { type TestNamespace, testNamespace } from '../namespace.ts';
import { openNamespaces } from './own-sandbox.ts';

const PATH = 'net/ipv4/conf/lo/log_martians';
/** Of the namespace that the process is in. */
const ours = () => readFileSync(`/proc/sys/${PATH}`, 'utf8').trim();
let sandbox: TestNamespace;
let namespace: NetworkNamespace;
let parameters: Parameters;

beforeEach(async () => {
  sandbox = await testNamespace();
  namespace = NetworkNamespace.open(sandbox.path);
  parameters = new Parameters(namespace);
});
afterEach(async () => {
  namespace.close();
  await sandbox[Symbol.asyncDispose]();
});
const read = (of: NetworkNamespace, path: string) => of.run(() => readSysctl(path));
const theirs = (path = PATH) => sandbox.sh(`cat /proc/sys/${path}`);

describe('a kernel parameter of another namespace', () => {
  it('is written there and not here, though a worker writes it', async () => {
    const before = ours();
    const other = before === '1' ? '0' : '1';
    await parameters.set({ path: PATH, value: other });
    expect(await theirs()).toBe(other);
    expect(read(namespace, PATH)).toBe(other);
    expect(ours()).toBe(before);
    await parameters.set({ path: PATH, value: before });
    expect(await theirs()).toBe(before);
    expect(ours()).toBe(before);
  });

  it('is written to the right one of many at the same time', async () => {
    const before = ours();
    await using second = await testNamespace();
    const other = NetworkNamespace.open(second.path);
    const ofOther = new Parameters(other);
    const paths = ['log_martians', 'rp_filter', 'arp_notify', 'arp_ignore'].map(
      key => `net/ipv4/conf/lo/${key}`,
    );
    await Promise.all(
      paths.flatMap(path => [parameters.set({ path, value: '1' }), ofOther.set({ path, value: '0' })]),
    );
    expect(paths.map(path => read(namespace, path))).toEqual(['1', '1', '1', '1']);
    expect(paths.map(path => read(other, path))).toEqual(['0', '0', '0', '0']);
    expect(ours()).toBe(before);
    other.close();
  });

  it('is not there for an interface that is not', async () => {
    const path = 'net/ipv4/conf/eth100/log_martians';
    expect(read(namespace, path)).toBeUndefined();
    await expect(parameters.set({ path, value: '1' })).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('may be none where that is no matter, and then all other refusals are', async () => {
    await parameters.setIfKnown({ path: 'net/ipv4/conf/eth100/log_martians', value: '1' });
    await expect(parameters.setIfKnown({ path: PATH, value: 'x' })).rejects.toMatchObject({ code: 'EINVAL' });
    const other = ours() === '1' ? '0' : '1';
    await parameters.setIfKnown({ path: PATH, value: other });
    expect(await theirs()).toBe(other);
  });

  it('may be one that cannot be written, as long as it is so already', async () => {
    const path = 'net/ipv4/tcp_available_congestion_control';
    const value = await theirs(path);
    expect(value).not.toBe('');
    await parameters.set({ path, value });
    await expect(parameters.set({ path, value: 'other' })).rejects.toMatchObject({ code: 'EACCES' });
    expect(await theirs(path)).toBe(value);
  });

  it('keeps its value when the kernel refuses another', async () => {
    const before = await theirs();
    await expect(parameters.set({ path: PATH, value: 'x' })).rejects.toMatchObject({ code: 'EINVAL' });
    expect(await theirs()).toBe(before);
  });

  it.each(['net/ipv4/conf/../lo/log_martians', '../etc/passwd', 'net//ipv4', '', 'net/ipv4/conf/lo/x y'])(
    'is never a file elsewhere: %j',
    async path => {
      expect(() => read(namespace, path)).toThrow(RangeError);
      await expect(parameters.set({ path, value: '1' })).rejects.toThrow(RangeError);
    },
  );

  it('leaves the process where it was', async () => {
    const home = openNamespaces();
    const before = ours();
    await parameters.set({ path: PATH, value: before === '1' ? '0' : '1' });
    expect(() => read(namespace, 'net//ipv4')).toThrow(RangeError);
    expect(ours()).toBe(before);
    expect(openNamespaces()).toBe(home);
  });
});
