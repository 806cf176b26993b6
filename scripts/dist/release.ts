import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundle } from '../build/bundle.ts';
import { nativePackages, packagesIn } from '../build/licences.ts';
import { debianPackages } from '../plugin/packages.ts';
import { pack } from './archive.ts';
import { checksums } from './checksums.ts';
import { debianComponent } from './debian-component.ts';
import { releaseNotes } from './release-notes.ts';
import { billOf, type Sbom, sbomOfNpm } from './sbom.ts';

/** As Debian and Docker name them. */
const architecture = process.arch === 'x64' ? 'amd64' : process.arch;

/**
 * Makes a release of what is built: the plugin as an archive, the Debian package, the bill of materials, licences, release
 * notes and checksums. The same commit gives the same bytes.
 * @param root the project's directory
 * @param dist where `plugin`, the Debian package and THIRD-PARTY-LICENSES are; `release` is made there, in place of an older one
 * @throws Error when one of them is missing, or the changelog has nothing of this version
 */
export async function makeRelease(root: string, dist: string): Promise<void> {
  const { name, version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const work = await mkdtemp(join(dist, 'release-'));
  try {
    const fresh = join(work, 'release');
    await mkdir(fresh);
    const changelog = await readFile(join(root, 'CHANGELOG.md'), 'utf8');
    await writeFile(join(fresh, 'RELEASE-NOTES.md'), releaseNotes(changelog, version));

    const plugin = join(dist, 'plugin');
    const archive = `${name}-plugin-${version}-${architecture}.tar.gz`;
    await pack(join(fresh, archive), plugin, ['config.json', 'rootfs']);
    const deb = `${name}_${version}_${architecture}.deb`;
    await copyFile(join(dist, deb), join(fresh, deb));
    await copyFile(join(dist, 'THIRD-PARTY-LICENSES'), join(fresh, 'THIRD-PARTY-LICENSES'));
    await copyFile(join(root, 'LICENSE'), join(fresh, 'LICENSE'));

    const bill = await billOfMaterials(root, work, join(plugin, 'rootfs'));
    const sbom = `${name}-${version}-${architecture}.cdx.json`;
    await writeFile(join(fresh, sbom), `${JSON.stringify(bill, undefined, 2)}\n`);

    await writeFile(join(work, 'sums'), await checksums(fresh, await readdir(fresh)));
    await rename(join(work, 'sums'), join(fresh, 'SHA256SUMS'));
    const release = join(dist, 'release');
    await rm(release, { recursive: true, force: true });
    await rename(fresh, release);
  } finally {
    await rm(work, { recursive: true });
  }
}

/** Of everything in the plugin, which has all that is in the Debian package, and libraries besides. */
async function billOfMaterials(root: string, work: string, rootfs: string): Promise<Sbom> {
  const { name, version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const made = await bundle(root, 'src/main.ts', join(work, 'tsnet.cjs'), version);
  const packages = [...nativePackages(), ...packagesIn(made)].map(async directory => {
    const described = JSON.parse(await readFile(join(root, directory, 'package.json'), 'utf8'));
    return `${described.name}@${described.version}`;
  });
  const contained = new Set(await Promise.all(packages));
  const libraries = (await debianPackages(rootfs)).map(debianComponent);
  return billOf(await sbomOfNpm(root), name, contained, libraries);
}
