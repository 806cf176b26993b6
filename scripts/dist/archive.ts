import { execa } from 'execa';

/**
 * Packs what lies in a directory. The same contents and permissions give the same bytes: names are sorted, and neither
 * time nor owner is kept.
 * @param archive path of the `.tar.gz`
 * @param names what to pack of the directory
 */
export async function pack(archive: string, directory: string, names: readonly string[]): Promise<void> {
  const tar = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--format=ustar'];
  await execa('tar', [...tar, '--use-compress-program=gzip -n', '-cf', archive, '-C', directory, ...names]);
}
