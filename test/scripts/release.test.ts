import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packagesIn } from '../../scripts/build/licences.ts';
import { pack } from '../../scripts/dist/archive.ts';
import { checksums } from '../../scripts/dist/checksums.ts';
import { debianComponent } from '../../scripts/dist/debian-component.ts';
import { releaseNotes } from '../../scripts/dist/release-notes.ts';
import { billOf, type Component, type Sbom } from '../../scripts/dist/sbom.ts';

const part = (name: string): Component => ({
  'bom-ref': `${name}@1.0.0`,
  type: 'library',
  name,
  version: '1.0.0',
  purl: `pkg:npm/${name}@1.0.0`,
});

describe('packages in the bundle', () => {
  it('counts the innermost package, once, and only what left something in the bundle', () => {
    const inputs = new Map([
      ['src/main.ts', 10],
      ['node_modules/@a/b/x.js', 10],
      ['node_modules/@a/b/y.js', 10],
      ['node_modules/c/node_modules/d/lib/z.js', 10],
      ['node_modules/e/index.js', 0],
      ['unneeded:mime-db', 20],
    ]);
    expect(packagesIn({ inputs })).toEqual(['node_modules/@a/b', 'node_modules/c/node_modules/d']);
  });
});

describe('bill of materials', () => {
  const sbom: Sbom = {
    serialNumber: 'urn:uuid:random',
    metadata: { timestamp: '2000-01-01T00:00:00Z', component: part('directory') },
    components: [part('used'), part('builder')],
    dependencies: [
      { ref: 'directory@1.0.0', dependsOn: ['used@1.0.0', 'builder@1.0.0'] },
      { ref: 'used@1.0.0' },
      { ref: 'builder@1.0.0', dependsOn: ['used@1.0.0'] },
    ],
  };
  const bill = billOf(sbom, 'tsnet', new Set(['used@1.0.0']), [part('library')]);

  it('lists what is in the release and leaves out what only builds it', () => {
    expect(bill.components.map(({ name }) => name)).toEqual(['used', 'library']);
    expect(bill.dependencies).toEqual([
      { ref: 'directory@1.0.0', dependsOn: ['used@1.0.0'] },
      { ref: 'used@1.0.0', dependsOn: [] },
    ]);
    expect(bill.metadata.component.name).toBe('tsnet');
  });

  it('says the same of the same, at any time, and another thing of another', () => {
    const later = {
      ...sbom,
      serialNumber: 'urn:uuid:other',
      metadata: { ...sbom.metadata, timestamp: 'now' },
    };
    expect(billOf(later, 'tsnet', new Set(['used@1.0.0']), [part('library')])).toEqual(bill);
    expect(billOf(sbom, 'tsnet', new Set(['used@1.0.0']), []).serialNumber).not.toBe(bill.serialNumber);
    expect(bill.serialNumber).toMatch(
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(JSON.stringify(bill)).not.toContain('timestamp');
  });

  it('fails when something in the executable is not known', () => {
    expect(() => billOf(sbom, 'tsnet', new Set(['used@2.0.0']), [])).toThrow('used@2.0.0');
  });
});

describe('Debian packages', () => {
  it('are named by their package URL', () => {
    expect(
      debianComponent({ name: 'libc6', version: '2.36-9+deb12u10', architecture: 'amd64' }),
    ).toMatchObject({
      name: 'libc6',
      version: '2.36-9+deb12u10',
      purl: 'pkg:deb/debian/libc6@2.36-9%2Bdeb12u10?arch=amd64',
    });
  });
});

describe('release notes', () => {
  const changelog =
    '# Changelog\n\n## Unreleased\n\n## 0.2.0 - 2026-01-02\n\n- two\n\n## 0.1.0 - 2026-01-01\n\n- one\n';

  it('are the section of the version', () => {
    expect(releaseNotes(changelog, '0.2.0')).toBe('## 0.2.0 - 2026-01-02\n\n- two\n');
    expect(releaseNotes(changelog, '0.1.0')).toBe('## 0.1.0 - 2026-01-01\n\n- one\n');
  });

  it('are missed for a version without one', () => {
    expect(() => releaseNotes(changelog, '0.3.0')).toThrow('0.3.0');
  });
});

describe('files of a release', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'release-test-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  it('have checksums that sha256sum accepts', async () => {
    await writeFile(join(directory, 'b'), 'two');
    await writeFile(join(directory, 'a'), 'one');
    const text = await checksums(directory, ['b', 'a']);
    expect(text.split('\n').map(line => line.slice(66))).toEqual(['a', 'b', '']);
    await execa('sha256sum', ['--check', '--strict'], { cwd: directory, input: text });
  });

  it('are packed the same whenever they were written', async () => {
    const digests: string[] = [];
    for (const time of [1, 1_000_000_000]) {
      await execa('touch', ['-d', `@${time}`, join(directory, 'a'), join(directory, 'b')]);
      await pack(join(directory, 'packed.tar.gz'), directory, ['b', 'a']);
      digests.push((await checksums(directory, ['packed.tar.gz'])).slice(0, 64));
    }
    expect(digests[0]).toBe(digests[1]);
    const { stdout } = await execa('tar', ['-tvf', join(directory, 'packed.tar.gz')]);
    expect(stdout).toMatch(/0\/0 .* 1970-01-01 .* [ab]\n/);
  });
});
