import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { cacheDir } from './paths.ts';

/**
 * The root file system of the busybox image, as a tar archive: Debian's static busybox, and a link for each of
 * its applets. Made once and kept.
 *
 * @throws Error when busybox-static is not installed
 */
export async function busyboxTar(): Promise<Buffer> {
  const { stdout } = await execa('dpkg-query', ['-W', 'busybox-static']);
  const version = stdout.split('\t')[1] ?? '';
  const file = join(cacheDir(), `busybox-${version.replace(/[^\w.+-]/g, '_')}.tar`);
  if (!existsSync(file)) await makeTar(file);
  return readFile(file);
}

async function makeTar(file: string): Promise<void> {
  await mkdir(cacheDir(), { recursive: true });
  const work = await mkdtemp(join(cacheDir(), '.image-'));
  try {
    const root = join(work, 'root');
    for (const dir of ['bin', 'dev', 'etc', 'home', 'proc', 'root', 'sys', 'tmp', 'usr/bin', 'var/www']) {
      await mkdir(join(root, dir), { recursive: true });
    }
    await cp('/bin/busybox', join(root, 'bin/busybox'));
    const list = await execa('/bin/busybox', ['--list']);
    for (const applet of list.stdout.split('\n')) {
      if (applet !== 'busybox') await symlink('busybox', join(root, 'bin', applet));
    }
    await symlink('../../bin/busybox', join(root, 'usr/bin/env'));
    await writeFile(
      join(root, 'etc/passwd'),
      'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n',
    );
    await writeFile(join(root, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n');
    await execa('tar', ['-C', root, '--owner=0', '--group=0', '-cf', join(work, 'image.tar'), '.']);
    await rename(join(work, 'image.tar'), file);
  } finally {
    await rm(work, { recursive: true });
  }
}
