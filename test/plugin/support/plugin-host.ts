import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { TsnetHost } from '../../engine/support/tsnet-host.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, type LabOptions } from '../../lab/lab.ts';
import { waitFor } from '../../lab/wait.ts';

/** What `make plugin` makes. */
export const PLUGIN = join(import.meta.dirname, '../../../dist/plugin');

/** The name that docs/managed-plugin.md gives it: not `tsnet`, which would take the plain driver name away. */
export const PLUGIN_NAME = 'tsnet-plugin';

/** How a plugin is created. */
export interface CreateOptions {
  /** Local name; the engine adds `:latest`. */
  readonly name?: string;
  /** A word that makes its content another one: an engine refuses a second plugin of the same content. */
  readonly variant?: string;
  /** Changes to config.json. */
  readonly config?: (config: PluginConfig) => void;
}

/** The parts of config.json that tests change. */
export interface PluginConfig {
  entrypoint: string[];
  linux: { capabilities: string[] };
  mounts: { name: string; source: string; destination: string; options: string[] }[];
  env: { name: string; value?: string; settable: string[] }[];
  [key: string]: unknown;
}

/**
 * A lab host with tsnet as a managed plugin, in place of the daemon. `start` and `stop` are enable and disable, so that
 * whatever is written for a TsnetHost runs on it.
 */
export class PluginHost extends TsnetHost {
  /** As `docker plugin ls` has it, without the tag. */
  readonly plugin: string;

  /** @param plugin the name under which it is created and spoken of */
  constructor(host: Host, plugin = PLUGIN_NAME) {
    super(host);
    this.plugin = plugin;
  }

  /** `docker plugin create`, disabled as that leaves it. Takes some seconds: the engine compresses it. */
  async create(options: CreateOptions = {}): Promise<void> {
    const name = options.name ?? this.plugin;
    const { status, body } = await this.host.api(
      'POST',
      `/plugins/create?name=${encodeURIComponent(name)}`,
      await archiveOf(options),
    );
    if (status !== 204) throw new Error(`docker plugin create ${name}: ${status} ${JSON.stringify(body)}`);
  }

  /** Enables it. @param settings as of `docker plugin set`: `TSNET_LOG_FORMAT=json`; debug messages are on */
  override async start(...settings: string[]): Promise<void> {
    await this.docker('plugin', 'set', this.plugin, 'TSNET_LOG_LEVEL=debug', ...settings);
    await this.docker('plugin', 'enable', this.plugin);
  }

  /**
   * TERM: disables it, even while it is in use. KILL: ends its process, and returns when that is gone; the engine starts it
   * again. A call under way at that moment would be repeated by the engine without its body (moby#35459), and refused.
   */
  override async stop(signal: 'TERM' | 'KILL' = 'TERM'): Promise<void> {
    if (signal === 'TERM') {
      await this.docker('plugin', 'disable', '-f', this.plugin);
      return;
    }
    const pid = await this.pluginPid();
    await this.host.exec('kill', ['-KILL', String(pid)]);
    await waitFor(() => !existsSync(`/proc/${this.host.pid}/root/proc/${pid}`), {
      what: `process ${pid} of ${this.plugin} to be gone`,
    });
  }

  /** The plugin's id: 64 hex digits. */
  async pluginId(name = this.plugin): Promise<string> {
    return this.docker('plugin', 'inspect', '-f', '{{.Id}}', name);
  }

  /** Its process, by its number inside the host. @throws Error when it does not run */
  async pluginPid(name = this.plugin): Promise<number> {
    const id = await this.pluginId(name);
    const list = ['--root', '/run/docker/runtime-runc/plugins.moby', 'list', '-f', 'json'];
    const { stdout } = await this.host.exec('runc', list);
    const all = (JSON.parse(String(stdout)) ?? []) as { id: string; pid: number; status: string }[];
    const pid = all.find(one => one.id === id && one.status === 'running')?.pid;
    if (pid === undefined) throw new Error(`${name} does not run`);
    return pid;
  }

  /** Runs `tsnet ARGS` in the plugin's own file system and namespaces. @returns what it printed */
  async tsnet(...args: string[]): Promise<string> {
    const enter = ['-t', String(await this.pluginPid()), '-m', '-p', '-r', '/usr/bin/tsnet', ...args];
    return String((await this.host.exec('nsenter', enter)).stdout).trim();
  }

  /** What the plugin has written, as it stands in the engine's log. */
  override log(): string {
    return this.host
      .engineOutput()
      .split('\n')
      .filter(line => line.includes(' plugin='))
      .join('\n');
  }
}

/** A lab with the plugin, created and enabled, and the busybox image on every host. */
export async function pluginLab(
  options: LabOptions,
  name?: string,
): Promise<{ lab: Lab; hosts: PluginHost[] }> {
  const lab = await Lab.create(options);
  try {
    const hosts = await Promise.all(
      lab.hosts.map(async host => {
        const plugin = new PluginHost(host, name);
        await Promise.all([plugin.create(), host.loadImage()]);
        await plugin.start();
        return plugin;
      }),
    );
    return { lab, hosts };
  } catch (error) {
    await lab.destroy();
    throw error;
  }
}

/** The folder for `docker plugin create` as the engine's API takes it. Not compressed, which saves seconds. */
async function archiveOf({ variant, config }: CreateOptions): Promise<Buffer> {
  if (!existsSync(PLUGIN)) throw new Error('there is no dist/plugin: run make plugin');
  const changes = await mkdtemp(join(tmpdir(), 'tsnet-plugin-'));
  try {
    const manifest = JSON.parse(await readFile(join(PLUGIN, 'config.json'), 'utf8')) as PluginConfig;
    config?.(manifest);
    await writeFile(join(changes, 'config.json'), JSON.stringify(manifest));
    await mkdir(join(changes, 'rootfs/etc'), { recursive: true });
    if (variant !== undefined) await writeFile(join(changes, 'rootfs/etc/variant'), variant);
    const tar = ['-c', '-C', changes, 'config.json', 'rootfs', '-C', PLUGIN, 'rootfs'];
    return Buffer.from((await execa('tar', tar, { encoding: 'buffer', maxBuffer: 1 << 30 })).stdout);
  } finally {
    await rm(changes, { recursive: true });
  }
}
