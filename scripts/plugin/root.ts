import { chmod, copyFile, lutimes, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { copyrightsOf } from './copyrights.ts';
import { librariesOf } from './libraries.ts';
import type { Needed } from './programs.ts';

/** Empty folders: the engine and runc mount over some of them, and the plugin writes into the others. */
const FOLDERS = [
  ...['usr/bin', 'usr/sbin', 'usr/lib', 'usr/lib64', 'proc', 'sys', 'dev', 'etc', 'tmp', 'var/lib/tsnet'],
  ...['run/docker/plugins', 'host/run/docker', 'host/proc/sys/net'],
];

/**
 * - As Debian has them, so that the dynamic linker finds everything where it was.
 * - Sandboxes: engines name them by paths below /var/run/docker/netns, which lead to the host's by these links.
 */
const LINKS: Readonly<Record<string, string>> = {
  bin: 'usr/bin',
  sbin: 'usr/sbin',
  lib: 'usr/lib',
  lib64: 'usr/lib64',
  'var/run': '/run',
  'run/docker/netns': '/host/run/docker/netns',
};

/** The engine mounts the host's over the first two, a file over a file; what is mounted over the last is settable. */
const FILES = ['etc/hosts', 'etc/resolv.conf', 'run/docker.sock'];

/** What a root is made of. */
export interface Parts extends Needed {
  /** The single executable. */
  readonly tsnet: string;
  /** More files, by their path in the root, without a leading slash. */
  readonly documents: Readonly<Record<string, string>>;
}

/**
 * Lays out the plugin's root file system: the executable, what it loads and starts, and nothing else. What is
 * in it depends on the parts alone once it is settled.
 * @param out an empty or missing folder
 */
export async function layOutRoot(out: string, { tsnet, programs, opened, documents }: Parts): Promise<void> {
  for (const folder of FOLDERS) await mkdir(join(out, folder), { recursive: true });
  for (const [path, target] of Object.entries(LINKS)) await symlink(target, join(out, path));
  for (const path of FILES) await write(join(out, path), '');

  await install(tsnet, join(out, 'usr/bin/tsnet'), 0o755);
  for (const { file, names } of programs) {
    const inRoot = join(out, 'usr/sbin', basename(file));
    await install(file, inRoot, 0o755);
    for (const name of names) await symlink(basename(file), join(dirname(inRoot), name));
  }
  // Those opened are named here as well: of two names of one file the linker tells only the first.
  const loaded = [[...opened], await librariesOf(tsnet, opened)];
  for (const { file } of programs) loaded.push(await librariesOf(file));
  const libraries = [...new Set(loaded.flat())];
  for (const library of libraries) await install(library, join(out, library), 0o755);

  const foreign = [...programs.map(({ file }) => file), ...libraries];
  for (const [path, text] of Object.entries({ ...(await copyrightsOf(foreign)), ...documents })) {
    await write(join(out, path), text);
  }
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  await chmod(path, 0o644);
}

/** Copies what a path leads to, under that path's own name. */
async function install(from: string, to: string, mode: number): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, to);
  await chmod(to, mode);
}

/** Gives a folder and all in it one time, and folders a mode that does not depend on the umask. */
export async function settle(folder: string, time: Date): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await settle(path, time);
    else await lutimes(path, time, time);
  }
  await chmod(folder, basename(folder) === 'tmp' ? 0o1777 : 0o755);
  await lutimes(folder, time, time);
}
