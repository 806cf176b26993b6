import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';

/**
 * Starts every program of a root and loads every library, in it, so that none is handed out that cannot. Only the
 * superuser may change the root; for others nothing is tried.
 * @throws Error with the words of the one that does not work
 */
export async function tryRoot(root: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const inside = (...command: string[]) => execa('chroot', [root, ...command]);
  await inside('/usr/bin/tsnet', '--version');
  for (const name of ['iptables-legacy', 'ip6tables-legacy']) await inside(`/usr/sbin/${name}`, '--version');

  const linker = (await sharedObjects(root)).find(path => /\/ld-[^/]*$/.test(path)) ?? '';
  for (const file of await sharedObjects(root)) {
    const { stdout } = await inside(linker, '--list', file);
    if (stdout.includes('not found')) throw new Error(`plugin: ${file} lacks a library:\n${stdout}`);
  }
}

/** Libraries by their paths in the root, without the modules of iptables, which need none but those of iptables itself. */
async function sharedObjects(root: string): Promise<string[]> {
  const folders = ['usr/lib', 'usr/lib64'].map(async folder => {
    const entries = await readdir(join(root, folder), { recursive: true });
    return entries.filter(path => /\.so(\.\d+)*$/.test(path)).map(path => `/${folder}/${path}`);
  });
  return (await Promise.all(folders)).flat().filter(path => !path.includes('/xtables/'));
}
