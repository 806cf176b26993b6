import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { TsnetError } from '../errors.ts';
import type { Guard } from '../host-state/types.ts';
import { parseUfw } from './ufw-rules.ts';

/**
 * Reads what ufw allows on this host.
 * @param root directory that the host's file system is seen at
 * @returns undefined while ufw is not enabled
 * @throws TsnetError UFW_MISSING where there is no /etc/ufw, or it cannot be read
 */
export async function readGuard(root = '/'): Promise<Guard | undefined> {
  const directory = join(root, 'etc/ufw');
  try {
    if (!(await stat(directory)).isDirectory()) throw new Error('it is no directory');
    const [defaults, conf, rules, rules6] = await Promise.all([
      readText(join(root, 'etc/default/ufw')),
      readText(join(directory, 'ufw.conf')),
      readText(join(directory, 'user.rules')),
      readText(join(directory, 'user6.rules')),
    ]);
    return parseUfw({ defaults, conf, rules, rules6 });
  } catch (error) {
    throw new TsnetError('UFW_MISSING', `${directory} cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** A file that is not there is empty: ufw's boot script, too, goes on without. */
const readText = (path: string): Promise<string> =>
  readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
