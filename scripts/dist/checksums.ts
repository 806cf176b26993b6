import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/**
 * Digests of files in the form that `sha256sum --check` reads.
 * @param names of files in the directory
 */
export async function checksums(directory: string, names: readonly string[]): Promise<string> {
  const lines = names.toSorted().map(async name => {
    const hash = createHash('sha256');
    await pipeline(createReadStream(join(directory, name)), hash);
    return `${hash.digest('hex')}  ${name}\n`;
  });
  return (await Promise.all(lines)).join('');
}
