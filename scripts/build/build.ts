/**
 * Makes dist/tsnet: one executable that holds the pinned Node, the bundled program and koffi's compiled half
 * (https://nodejs.org/api/single-executable-applications.html). Nothing is downloaded; everything is in node_modules.
 */
import { chmod, copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { bundle } from './bundle.ts';

const root = join(import.meta.dirname, '../..');
const dist = join(root, 'dist');
const work = join(dist, 'build');
const require = createRequire(import.meta.url);
const arch = process.arch;
const node = join(root, 'node_modules', `node-linux-${arch}`, 'bin/node');
const addon = join(
  dirname(require.resolve(`@koromix/koffi-linux-${arch}/package.json`)),
  `linux_${arch}/koffi.node`,
);
const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
/**
 * The young half of V8's heap may grow to 96 MiB, which a storm of containers makes it do and nothing takes back. With 4 MiB a
 * half-space takes no more time; with fewer, what lives for one call is promoted, and the old half grows instead.
 */
const flags = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=4'];

await mkdir(work, { recursive: true });
const program = join(work, 'tsnet.cjs');
const cache = join(work, 'tsnet.cache');
await bundle(join(root, 'src/main.ts'), program, version);
await execa(node, [...flags, join(import.meta.dirname, 'warm.cjs'), program, cache]);

const config = join(work, 'sea.json');
const blob = join(work, 'sea.blob');
await writeFile(
  config,
  JSON.stringify({
    main: join(import.meta.dirname, 'loader.cjs'),
    output: blob,
    disableExperimentalSEAWarning: true,
    execArgv: flags,
    assets: { 'koffi.node': addon, 'tsnet.cjs': program, 'tsnet.cache': cache },
  }),
);
await execa(node, ['--experimental-sea-config', config]);

const fresh = join(work, 'tsnet');
await copyFile(node, fresh);
await chmod(fresh, 0o755);
await execa(process.execPath, [
  join(root, 'node_modules/postject/dist/cli.js'),
  fresh,
  'NODE_SEA_BLOB',
  blob,
  '--sentinel-fuse',
  'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2',
]);
// In one step, so that a daemon started meanwhile never finds half a program.
await rename(fresh, join(dist, 'tsnet'));
await rm(work, { recursive: true });
