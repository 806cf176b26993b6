import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { execa } from 'execa';
import { type Bundle, bundle } from './bundle.ts';
import { loadedPart } from './loaded-part.ts';

/**
 * The young half of V8's heap may grow to 96 MiB, which a storm of containers makes it do and nothing takes back. With 4 MiB a
 * half-space takes no more time; with fewer, what lives for one call is promoted, and the old half grows instead. One so small is
 * cleared within a millisecond by one thread; with helpers the event loop waits until a busy machine lets them run, too.
 */
export const FLAGS: readonly string[] = [
  '--disable-warning=ExperimentalWarning',
  '--max-semi-space-size=4',
  '--no-parallel-scavenge',
];

/** Files in the work directory. */
export const PROGRAM = 'tsnet.cjs';
export const CODE_CACHE = 'tsnet.cache';
export const EXECUTABLE = 'tsnet';

/**
 * Makes the executable: the pinned Node, the bundled program and koffi's compiled half
 * (https://nodejs.org/api/single-executable-applications.html). Nothing is downloaded; everything is in node_modules. The
 * same sources and the same node_modules give the same bytes, wherever and in whatever environment they are built.
 * @param root the project's directory
 * @param work an empty directory, below `root` so that the program finds its packages; the executable is left there
 */
export async function buildExecutable(root: string, work: string): Promise<Bundle> {
  const { arch } = process;
  const require = createRequire(join(root, 'package.json'));
  const node = nodeOf(root);
  const addon = join(
    dirname(require.resolve(`@koromix/koffi-linux-${arch}/package.json`)),
    `linux_${arch}/koffi.node`,
  );
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  // The code that V8 has compiled depends on what ran, and what runs reads HOME, COLUMNS and the like.
  const tools = { cwd: root, env: { PATH: '/usr/bin:/bin', HOME: '/' }, extendEnv: false } as const;

  await mkdir(work, { recursive: true });
  const program = join(work, PROGRAM);
  const cache = join(work, CODE_CACHE);
  const made = await bundle(root, 'src/main.ts', program, version);
  await execa(
    node,
    [...FLAGS, '--random-seed=1', join(import.meta.dirname, 'warm.cjs'), program, cache],
    tools,
  );

  const config = join(work, 'sea.json');
  const blob = join(work, 'sea.blob');
  await writeFile(
    config,
    JSON.stringify({
      // The blob keeps this path as it is written here.
      main: relative(root, join(import.meta.dirname, 'loader.cjs')),
      output: blob,
      disableExperimentalSEAWarning: true,
      execArgv: FLAGS,
      assets: { 'koffi.node': addon, [PROGRAM]: program, [CODE_CACHE]: cache },
    }),
  );
  await execa(node, ['--experimental-sea-config', config], tools);

  const executable = join(work, EXECUTABLE);
  // Before postject, which appends a segment: cut afterwards, the executable does not start.
  await writeFile(executable, loadedPart(await readFile(node)), { mode: 0o755 });
  const inject = [executable, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', FUSE];
  await execa(process.execPath, [join(root, 'node_modules/postject/dist/cli.js'), ...inject], tools);
  return made;
}

/** Marks in Node's executable whether a program is attached to it; the same in every version. */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/** The pinned Node's executable. */
export function nodeOf(root: string): string {
  return join(root, 'node_modules', `node-linux-${process.arch}`, 'bin/node');
}
