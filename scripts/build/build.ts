/**
 * Makes dist/tsnet (see executable.ts) and dist/THIRD-PARTY-LICENSES, which goes wherever the executable goes.
 */
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildExecutable, EXECUTABLE } from './executable.ts';
import { thirdPartyLicences } from './licences.ts';

const root = join(import.meta.dirname, '../..');
const dist = join(root, 'dist');

await mkdir(dist, { recursive: true });
const work = await mkdtemp(join(dist, 'build-'));
try {
  const bundle = await buildExecutable(root, work);
  await writeFile(join(work, 'licences'), await thirdPartyLicences(root, bundle));
  await rename(join(work, 'licences'), join(dist, 'THIRD-PARTY-LICENSES'));
  // In one step, so that a daemon started meanwhile never finds half a program.
  await rename(join(work, EXECUTABLE), join(dist, 'tsnet'));
} finally {
  await rm(work, { recursive: true });
}
