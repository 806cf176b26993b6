/**
 * Makes dist/tsnet: one executable that holds the pinned Node, the bundled program and koffi's compiled half
 * (https://nodejs.org/api/single-executable-applications.html). Nothing is downloaded; everything is in node_modules.
 */
import { chmod, copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { execa } from 'execa';

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

await mkdir(work, { recursive: true });
const bundle = join(work, 'tsnet.cjs');
await build({
  entryPoints: [join(root, 'src/main.ts')],
  outfile: bundle,
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'cjs',
  // Names stay readable in stack traces; the bundle is small beside the runtime.
  minifySyntax: true,
  keepNames: true,
  define: { TSNET_VERSION: JSON.stringify(version), 'import.meta.url': '__importMetaUrl' },
  banner: { js: 'const __importMetaUrl = require("node:url").pathToFileURL(__filename).href;' },
  logLevel: 'warning',
});

const config = join(work, 'sea.json');
const blob = join(work, 'sea.blob');
await writeFile(
  config,
  JSON.stringify({
    main: bundle,
    output: blob,
    disableExperimentalSEAWarning: true,
    useCodeCache: true,
    execArgv: ['--disable-warning=ExperimentalWarning'],
    assets: { 'koffi.node': addon },
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
