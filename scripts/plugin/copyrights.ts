import { readFile, realpath } from 'node:fs/promises';
import { execa } from 'execa';

/**
 * The copyright files of the Debian packages that files come from, by their path in a root: whoever hands on a copy of a
 * library has to hand on its licence. None for a file that is of no package.
 * @param files absolute paths
 */
export async function copyrightsOf(files: readonly string[]): Promise<Record<string, string>> {
  const real = await Promise.all(files.map(file => realpath(file)));
  // dpkg knows a file by the path that its package has, which may be from before / and /usr were merged.
  const paths = [...real, ...real.map(path => path.replace(/^\/usr/, ''))];
  const { stdout } = await execa('dpkg-query', ['-S', ...paths], { reject: false });
  const packages = new Set([...stdout.matchAll(/^([^:,\s]+)(?::\S+)?: /gm)].map(([, name = '']) => name));
  const texts = [...packages].sort().map(async name => {
    const path = `usr/share/doc/${name}/copyright`;
    return [path, await readFile(`/${path}`, 'utf8')] as const;
  });
  return Object.fromEntries(await Promise.all(texts));
}
