import { lstat, readdir, readlink, rename, stat, symlink, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Log } from '../log.ts';
import { answers, ignoreMissing } from '../protocol/socket-path.ts';

/** What this makes, in whatever plugin: to the socket of a managed plugin, beside it. */
const OWN_TARGET = /^[0-9a-f]{64}\/[\w.-]+\.sock$/;

/**
 * The plain name of a managed plugin. The engine knows it as NAME:TAG only (moby#30024), and looks a driver `tsnet` up as
 * a plugin of the old kind, by its socket in /run/docker/plugins. What is laid there is a symbolic link to the plugin's
 * own socket, and no second socket: the look-up follows it (pkg/plugins/discovery.go, Plugin(): os.Stat), the scan for
 * plugins that a `docker volume ls` does passes it over (Scan(): the entry's own type), and when the plugin's process
 * ends the engine removes the folder of its socket, so that the link leads nowhere: that is "no such plugin", while
 * each call to a socket nobody listens on would cost 15 s. The same in every engine from 20.10.24 to 28.5.2.
 */
export class PlainName {
  /** Path of the link. */
  readonly path: string;
  readonly #target: string;
  readonly #log: Log;
  #told = '';
  #laying: Promise<void> | undefined;

  private constructor(path: string, target: string, log: Log) {
    this.path = path;
    this.#target = target;
    this.#log = log;
  }

  /**
   * @param id the engine's id of this plugin, see ownPluginId()
   * @param hostDir the host's /run/docker, wherever it is mounted
   * @param socket path of the plugin's socket in its own file system
   */
  static of(id: string, hostDir: string, socket: string, log: Log): PlainName {
    const file = basename(socket);
    return new PlainName(join(hostDir, 'plugins', file), `${id}/${file}`, log);
  }

  /** Lays the link unless it is there. Never rejects: where it cannot be laid the log says why, and NAME:TAG goes on working. */
  async lay(): Promise<void> {
    this.#laying ??= this.#lay().finally(() => {
      this.#laying = undefined;
    });
    await this.#laying;
  }

  /** Takes the link away if it is this plugin's. Never rejects. */
  async remove(): Promise<void> {
    await this.#laying;
    if ((await readlink(this.path).catch(() => undefined)) !== this.#target) return;
    await unlink(this.path).catch(() => undefined);
  }

  async #lay(): Promise<void> {
    try {
      if ((await readlink(this.path).catch(() => undefined)) === this.#target) return;
      const obstacle = await obstacleAt(this.path);
      if (obstacle !== undefined) throw new Error(obstacle);
      const draft = `${this.path}.${this.#target.slice(0, 12)}`;
      await unlink(draft).catch(() => undefined);
      await symlink(this.#target, draft);
      await rename(draft, this.path);
      this.#log.info('plain driver name laid', { name: basename(this.path, '.sock'), target: this.#target });
    } catch (error) {
      const words = (error as Error).message;
      if (words === this.#told) return;
      this.#told = words;
      this.#log.warn(
        `the driver is known as NAME:TAG only, not as ${basename(this.path, '.sock')}: ${words}`,
      );
    }
  }
}

/** Why there can be no link at a path, in words; undefined when there can: with nothing there, or what is of no use any more. */
async function obstacleAt(path: string): Promise<string | undefined> {
  const found = await lstat(path).catch(ignoreMissing);
  if (found === undefined) return undefined;
  if (found.isSymbolicLink()) {
    const isOwn = OWN_TARGET.test(await readlink(path));
    return isOwn || (await leadsNowhere(path)) ? undefined : `somebody else's link is at ${path}; remove it`;
  }
  if (!found.isSocket()) return `${path} is there and is no socket; move it away`;
  if (await answers(path)) {
    return `something listens on ${path}; stop it (systemctl disable --now tsnet.socket) or remove the plugin`;
  }
  return undefined;
}

/** A tsnet that is not managed puts its socket there itself: a link that a plugin has left is not to keep it from that. */
export async function removeDeadName(socket: string): Promise<void> {
  const target = await readlink(socket).catch(() => undefined);
  if (target === undefined || !OWN_TARGET.test(target) || !(await leadsNowhere(socket))) return;
  await unlink(socket).catch(() => undefined);
}

/**
 * The engine's id of the managed plugin that this process is. It mounts the folder of the plugin's socket, which bears the
 * id, so that is the folder of the host with the same device and inode.
 * @returns undefined where there is no such folder: in no plugin, or the engine runs with another --exec-root
 */
export async function ownPluginId(hostDir: string, socket: string): Promise<string | undefined> {
  const own = await stat(dirname(socket)).catch(() => undefined);
  const plugins = join(hostDir, 'plugins');
  if (own === undefined) return undefined;
  for (const entry of await readdir(plugins, { withFileTypes: true }).catch(() => [])) {
    if (!entry.isDirectory() || !/^[0-9a-f]{64}$/.test(entry.name)) continue;
    const found = await stat(join(plugins, entry.name)).catch(() => undefined);
    if (found?.ino === own.ino && found.dev === own.dev) return entry.name;
  }
  return undefined;
}

const leadsNowhere = async (path: string): Promise<boolean> =>
  (await stat(path).catch(ignoreMissing)) === undefined;
