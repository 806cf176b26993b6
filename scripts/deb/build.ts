/**
 * Makes dist/tsnet_VERSION_ARCH.deb of dist/tsnet: what scripts/install/install.sh lays, and what a package needs besides.
 * The same commit gives the same bytes.
 */
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { changelog, control, copyright } from './control.ts';
import { librariesOf } from './libraries.ts';
import { timeOf } from './time.ts';

const root = join(import.meta.dirname, '../..');
const dist = join(root, 'dist');
const SCRIPTS = ['preinst', 'postinst', 'prerm', 'postrm'];
/** Names of architectures: Node's and Debian's. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

const architecture = ARCHITECTURES[process.arch];
if (architecture === undefined) throw new Error(`deb: no package for ${process.arch}`);
const { version, description } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
const seconds = await timeOf(root);

const stage = await mkdtemp(join(dist, 'deb-'));
try {
  await chmod(stage, 0o755);
  // A umask of 077, say, must not show in the package.
  process.umask(0o022);
  await execa(join(root, 'scripts/install/install.sh'), {
    env: { DESTDIR: stage, PREFIX: '/usr' },
    stdout: 'inherit',
  });
  const doc = join(stage, 'usr/share/doc/tsnet');
  // Debian has it on every machine; copyright names it.
  await rm(join(doc, 'LICENSE'));
  await writeFile(join(doc, 'copyright'), copyright());
  await writeFile(join(doc, 'changelog.Debian'), changelog(version, seconds));
  await execa('gzip', ['-9n', join(doc, 'changelog.Debian')]);

  const size = await sizeOf(stage);
  const meta = join(stage, 'DEBIAN');
  await mkdir(meta);
  const libraries = librariesOf(await readFile(join(dist, 'tsnet')));
  await writeFile(join(meta, 'control'), control({ version, architecture, description, libraries, size }));
  for (const name of SCRIPTS) {
    await copyFile(join(import.meta.dirname, name), join(meta, name));
    await chmod(join(meta, name), 0o755);
  }
  const name = `tsnet_${version}_${architecture}.deb`;
  const fresh = `${stage}.deb`;
  // A thread more would give other bytes; xz's level 1 takes a tenth of the time of the usual 6 for a sixth more bytes.
  const pack = ['--root-owner-group', '--threads-max=1', '-Zxz', '-z1', '--build', stage, fresh];
  await execa('dpkg-deb', pack, { env: { SOURCE_DATE_EPOCH: String(seconds) } });
  await rename(fresh, join(dist, name));
  process.stdout.write(`dist/${name}\n`);
} finally {
  await rm(stage, { recursive: true });
}

/** KiB, as dpkg counts: each file rounded up, a directory as one (deb-substvars(5), Installed-Size). */
async function sizeOf(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const sizes = entries.map(async entry =>
    entry.isFile() ? Math.ceil((await stat(join(entry.parentPath, entry.name))).size / 1024) : 1,
  );
  return (await Promise.all(sizes)).reduce((sum, one) => sum + one, 0);
}
