/**
 * Makes dist/plugin, the managed plugin as `docker plugin create` takes it: config.json and a root file system of the
 * single executable and exactly what it loads and starts of this machine. Nothing is downloaded. `make plugin` builds
 * dist/tsnet first.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pack } from './pack.ts';
import { findNeeded } from './programs.ts';
import { layOutRoot, settle } from './root.ts';
import { tryRoot } from './try-root.ts';

const root = join(import.meta.dirname, '../..');
const dist = join(root, 'dist');
const target = join(dist, 'plugin');
const fresh = join(dist, `plugin-${process.pid}`);
const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };

/** Licences: tsnet's own, and those of what is bundled in it, which scripts/build has collected. */
async function documents(): Promise<Record<string, string>> {
  return {
    'usr/share/doc/tsnet/LICENSE': await readFile(join(root, 'LICENSE'), 'utf8'),
    'usr/share/doc/tsnet/THIRD-PARTY-LICENSES': await readFile(join(dist, 'THIRD-PARTY-LICENSES'), 'utf8'),
  };
}

try {
  await mkdir(fresh, { recursive: true });
  await layOutRoot(join(fresh, 'rootfs'), {
    tsnet: join(dist, 'tsnet'),
    ...(await findNeeded()),
    documents: await documents(),
  });
  await tryRoot(join(fresh, 'rootfs'));
  // After the try, in which tsnet writes below /run.
  await settle(join(fresh, 'rootfs'), new Date(0));
  const { size, compressed, digest } = await pack(join(fresh, 'rootfs'));
  const config = await readFile(join(root, 'config.json'), 'utf8');
  const build = createHash('sha256').update(config).update(digest).digest('hex').slice(0, 12);
  await writeFile(join(fresh, 'config.json'), describe(config, `tsnet ${version}, build ${build}`));
  // In one step, so that whoever creates a plugin meanwhile never reads half of one.
  await rm(target, { recursive: true, force: true });
  await rename(fresh, target);
  process.stdout.write(
    `dist/plugin: tsnet ${version}, build ${build}: ${megabytes(size)}, ${megabytes(compressed.length)} compressed\n`,
  );
} finally {
  await rm(fresh, { recursive: true, force: true });
}

/** The build is named where `docker plugin inspect` shows it. */
function describe(config: string, what: string): string {
  const all = JSON.parse(config) as { description: string };
  return `${JSON.stringify({ ...all, description: `${what}: ${all.description}` }, undefined, 2)}\n`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
