import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';

/** A package that files of the root come from. */
export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
}

/**
 * The Debian packages that a root has files of, by the copyright files in it, sorted by name.
 * @param root made on this machine: the versions are those installed here
 * @throws Error when one of them is not installed
 */
export async function debianPackages(root: string): Promise<DebianPackage[]> {
  const names = (await readdir(join(root, 'usr/share/doc'))).filter(name => name !== 'tsnet').sort();
  if (names.length === 0) return [];
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholders are dpkg's
  const format = '${Package} ${Version} ${Architecture}\n';
  const { stdout } = await execa('dpkg-query', ['-W', '-f', format, ...names]);
  return stdout.split('\n').map(line => {
    const [name = '', version = '', architecture = ''] = line.split(' ');
    return { name, version, architecture };
  });
}
