import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeRelease } from '../../scripts/dist/release.ts';
import type { Component, Sbom } from '../../scripts/dist/sbom.ts';

const ROOT = join(import.meta.dirname, '../..');
const { version, devDependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
const architecture = process.arch === 'x64' ? 'amd64' : process.arch;

describe('a release', () => {
  /** In place of dist: a small plugin, and a package that is none. */
  let dist: string;
  let first: string;
  let release: string;

  beforeAll(async () => {
    dist = await mkdtemp(join(tmpdir(), 'tsnet-release-'));
    first = join(dist, 'first');
    release = join(dist, 'release');
    const documents = join(dist, 'plugin/rootfs/usr/share/doc');
    for (const name of ['libc6', 'tsnet']) await mkdir(join(documents, name), { recursive: true });
    await writeFile(join(documents, 'libc6/copyright'), 'GPL');
    await writeFile(join(dist, 'plugin/config.json'), '{}');
    await writeFile(join(dist, `tsnet_${version}_${architecture}.deb`), 'deb');
    await writeFile(join(dist, 'THIRD-PARTY-LICENSES'), 'MIT');
    await makeRelease(ROOT, dist);
    await cp(release, first, { recursive: true });
    await execa('find', [join(dist, 'plugin'), '-exec', 'touch', '-d', '@1', '{}', '+']);
    await makeRelease(ROOT, dist);
  });
  afterAll(() => rm(dist, { recursive: true }));

  it('is the same when it is made again', async () => {
    await execa('diff', ['-r', first, release]);
  });

  it('has what a user needs, with checksums of everything', async () => {
    const sums = await readFile(join(release, 'SHA256SUMS'), 'utf8');
    await execa('sha256sum', ['--check', '--strict'], { cwd: release, input: sums });
    const listed = sums
      .trim()
      .split('\n')
      .map(line => line.slice(66));
    expect(listed).toEqual([
      'LICENSE',
      'RELEASE-NOTES.md',
      'THIRD-PARTY-LICENSES',
      `tsnet-${version}-${architecture}.cdx.json`,
      `tsnet-plugin-${version}-${architecture}.tar.gz`,
      `tsnet_${version}_${architecture}.deb`,
    ]);
    expect([...listed, 'SHA256SUMS'].sort()).toEqual((await readdir(release)).sort());
    const { stdout } = await execa('tar', [
      '-tf',
      join(release, `tsnet-plugin-${version}-${architecture}.tar.gz`),
    ]);
    expect(stdout.split('\n')).toContain('rootfs/usr/share/doc/libc6/copyright');
  });

  it('states everything that is in it, with its licence, and nothing that only builds it', async () => {
    const text = await readFile(join(release, `tsnet-${version}-${architecture}.cdx.json`), 'utf8');
    const bill: Sbom = JSON.parse(text);
    expect(bill).toMatchObject({
      bomFormat: 'CycloneDX',
      metadata: { component: { name: 'tsnet', version } },
    });
    const names = bill.components.map(({ name }) => name);
    const contained = [
      'express',
      'koffi',
      `@koromix/koffi-linux-${process.arch}`,
      `node-linux-${process.arch}`,
      'libc6',
    ];
    expect(names).toEqual(expect.arrayContaining(contained));
    for (const name of Object.keys(devDependencies)) expect(names).not.toContain(name);
    const npm = bill.components.filter(({ purl }) => purl.startsWith('pkg:npm/'));
    for (const part of npm as (Component & { licenses?: unknown[] })[])
      expect(part.licenses, part.name).not.toHaveLength(0);
    expect(text).not.toContain(ROOT);
  });

  it('has the one version that package.json states', async () => {
    const lock = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8'));
    expect([lock.version, lock.packages[''].version]).toEqual([version, version]);
    const notes = await readFile(join(release, 'RELEASE-NOTES.md'), 'utf8');
    expect(notes.split('\n')[0]).toMatch(
      new RegExp(`^## ${version.replaceAll('.', '\\.')} - \\d{4}-\\d\\d-\\d\\d$`),
    );
  });
});
