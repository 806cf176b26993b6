import { readFile } from 'node:fs/promises';
import { build } from 'esbuild';
import { unneeded } from './unneeded.ts';

/** What a bundle is made of. */
export interface Bundle {
  /** Path of a source file below the project's root -> how many bytes of the bundle come from it. */
  readonly inputs: ReadonlyMap<string, number>;
}

/**
 * Writes the program as one file: the expression of a function `(require, __filename)` that runs it.
 * @param root the project's directory: names of modules in the bundle are below it, so that they are the same everywhere
 * @param entry path below `root`
 * @throws Error when a character in it is not ASCII: V8 would keep all of it at two bytes a character
 */
export async function bundle(root: string, entry: string, outfile: string, version: string): Promise<Bundle> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
    metafile: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    // Names stay readable in stack traces; comments and indentation are kept in memory by V8.
    minifySyntax: true,
    minifyWhitespace: true,
    keepNames: true,
    legalComments: 'none',
    charset: 'ascii',
    plugins: [unneeded],
    define: { TSNET_VERSION: JSON.stringify(version), 'import.meta.url': '__importMetaUrl' },
    banner: {
      js: '(function(require,__filename){const module={exports:{}},__importMetaUrl=require("node:url").pathToFileURL(__filename).href;',
    },
    footer: { js: '})' },
    logLevel: 'warning',
  });
  const text = await readFile(outfile, 'utf8');
  if (/[^\0-\x7f]/.test(text)) throw new Error(`build: ${outfile} is not ASCII`);
  const outputs = Object.values(metafile.outputs);
  return {
    inputs: new Map(
      outputs.flatMap(({ inputs }) =>
        Object.entries(inputs).map(([path, { bytesInOutput }]) => [path, bytesInOutput] as const),
      ),
    ),
  };
}
