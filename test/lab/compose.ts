import { existsSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir } from './paths.ts';

/**
 * A configuration directory of the docker client with `docker compose` as a plugin, below `dir`; made on the
 * first call. Compose is there when scripts/setup/packages.sh has fetched it.
 */
export async function dockerConfigDir(dir: string): Promise<string> {
  const config = join(dir, 'docker-client');
  if (existsSync(join(config, 'config.json'))) return config;
  const plugins = join(config, 'cli-plugins');
  await mkdir(plugins, { recursive: true });
  await symlink(join(cacheDir(), 'compose/docker-compose'), join(plugins, 'docker-compose')).catch(
    ignoreExisting,
  );
  await writeFile(join(config, 'config.json'), '{}');
  return config;
}

/** Two calls at once may both find it missing. */
function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
