import { lstat, mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pack } from '../../scripts/plugin/pack.ts';
import { debianPackages } from '../../scripts/plugin/packages.ts';
import { findNeeded, type Needed } from '../../scripts/plugin/programs.ts';
import { layOutRoot, settle } from '../../scripts/plugin/root.ts';
import { tryRoot } from '../../scripts/plugin/try-root.ts';
import { PLUGIN, type PluginConfig } from './support/plugin-host.ts';

const ROOT = join(PLUGIN, 'rootfs');
const DOCS = join(import.meta.dirname, '../../docs/managed-plugin.md');

describe('the root that make plugin has made', () => {
  it('holds the programs that tsnet starts, and no other', async () => {
    const programs = (
      await Promise.all(['usr/bin', 'usr/sbin'].map(folder => readdir(join(ROOT, folder))))
    ).flat();
    expect(programs.sort()).toEqual(['ip6tables-legacy', 'iptables-legacy', 'tsnet', 'xtables-legacy-multi']);
  });

  it('has something to mount over wherever config.json mounts', async () => {
    const { mounts } = JSON.parse(await readFile(join(PLUGIN, 'config.json'), 'utf8')) as PluginConfig;
    const kinds = mounts.map(async ({ destination }) => [
      destination,
      (await lstat(join(ROOT, destination))).isFile(),
    ]);
    expect(Object.fromEntries(await Promise.all(kinds))).toEqual({
      '/host/run/docker': false,
      '/host/proc/sys/net': false,
      '/run/docker.sock': true,
    });
    expect(await readlink(join(ROOT, 'run/docker/netns'))).toBe('/host/run/docker/netns');
  });

  it('carries the licence of everything in it', async () => {
    const packages = await debianPackages(ROOT);
    expect(packages.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['iptables', 'libc6', 'libnftables1', 'libstdc++6', 'libxtables12']),
    );
    const own = await readdir(join(ROOT, 'usr/share/doc/tsnet'));
    expect(own.sort()).toEqual(['LICENSE', 'THIRD-PARTY-LICENSES']);
  });

  it('asks for nothing that docs/managed-plugin.md does not explain', async () => {
    const { linux, mounts, env } = JSON.parse(
      await readFile(join(PLUGIN, 'config.json'), 'utf8'),
    ) as PluginConfig;
    const page = await readFile(DOCS, 'utf8');
    const asked = [
      ...linux.capabilities,
      ...mounts.map(({ source }) => source),
      ...env.map(({ name }) => name),
    ];
    expect(asked.filter(word => !page.includes(`\`${word}\``))).toEqual([]);
  });
});

describe('laying out a root', () => {
  let work: string;
  let needed: Needed;
  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'tsnet-root-'));
    needed = await findNeeded();
  });
  afterAll(async () => rm(work, { recursive: true, force: true }));

  /** With a small program in place of tsnet's own executable. */
  async function layOut(name: string): Promise<string> {
    const root = join(work, name);
    await layOutRoot(root, {
      ...needed,
      tsnet: '/usr/bin/true',
      documents: { 'usr/share/doc/tsnet/LICENSE': 'text' },
    });
    await settle(root, new Date(0));
    return root;
  }

  it('gives the same bytes again, whatever the umask', async () => {
    const first = await pack(await layOut('first'));
    const umask = process.umask(0o077);
    try {
      const second = await pack(await layOut('second'));
      expect(second.digest).toBe(first.digest);
      expect(second.compressed.equals(first.compressed)).toBe(true);
    } finally {
      process.umask(umask);
    }
  });

  it('is noticed when it lacks a library', async () => {
    const root = await layOut('complete');
    await tryRoot(root);
    const [library = ''] = (await readdir(join(root, 'usr/lib'), { recursive: true })).filter(path =>
      path.includes('libgmp.so'),
    );
    await rm(join(root, 'usr/lib', library));
    await expect(tryRoot(root)).rejects.toThrow(/libnftables\.so\.1 lacks a library|libgmp/);
  });
});
