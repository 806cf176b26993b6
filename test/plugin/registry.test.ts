import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { soon } from '../engine/support/soon.ts';
import { ENGINES } from '../engine/support/tsnet-host.ts';
import type { Host } from '../lab/host.ts';
import { Lab } from '../lab/lab.ts';
import { cacheDir } from '../lab/paths.ts';
import { waitFor } from '../lab/wait.ts';
import { PluginHost } from './support/plugin-host.ts';

const PORT = 5000;

/** Starts Debian's docker-registry on a host, open to the LAN; it ends with the host. @returns its name in references */
async function startRegistry(host: Host): Promise<string> {
  const config = '/run/registry.yml';
  const input = `version: 0.1\nstorage: { filesystem: { rootdirectory: /run/registry } }\nhttp: { addr: ":${PORT}" }\n`;
  await host.exec('tee', [config], { input });
  const server = await host.spawn(join(cacheDir(), 'registry/docker-registry'), ['serve', config]);
  const ask = ['wget', '-q', '-O', '-', `http://127.0.0.1:${PORT}/v2/`];
  await waitFor(async () => (await host.exec('busybox', ask, { reject: false })).exitCode === 0, {
    what: () => `the registry to answer:\n${server.output()}`,
  });
  return `${host.address}:${PORT}`;
}

/** Pushes from one engine, installs on the other: registries are where generations meet. */
describe('a registry on the LAN', () => {
  let lab: Lab;
  let maker: PluginHost;
  let user: PluginHost;
  let registry: string;
  beforeAll(async () => {
    const daemonJson = { 'insecure-registries': ['198.18.0.0/24'] };
    lab = await Lab.create({ hosts: ENGINES.map(engine => ({ engine, daemonJson })) });
    const [first, second] = lab.hosts as [Host, Host];
    registry = await startRegistry(first);
    maker = new PluginHost(first, `${registry}/tsnet`);
    user = new PluginHost(second);
    await second.loadImage();
  });
  afterAll(async () => lab?.destroy());

  it('takes the plugin from the engine that has created it, as 50 MB at most', async () => {
    for (const tag of ['1', '2']) {
      const reference = `${registry}/tsnet:${tag}`;
      await maker.create({ name: reference, variant: tag });
      await maker.docker('plugin', 'push', reference);
      await maker.docker('plugin', 'rm', reference);
    }
    const manifest = `http://127.0.0.1:${PORT}/v2/tsnet/manifests/2`;
    const accept = 'Accept: application/vnd.docker.distribution.manifest.v2+json';
    const { stdout } = await maker.host.exec('busybox', [
      'wget',
      '-q',
      '-O',
      '-',
      '--header',
      accept,
      manifest,
    ]);
    const { layers } = JSON.parse(String(stdout)) as { layers: { size: number }[] };
    expect(layers).toHaveLength(1);
    expect(layers[0]?.size).toBeLessThan(50e6);
    expect(layers[0]?.size).toBeGreaterThan(30e6);
  });

  it('gives it to an engine of another generation, which says what it is asked for', async () => {
    const install = [
      'plugin',
      'install',
      '--alias',
      user.plugin,
      `${registry}/tsnet:1`,
      'TSNET_LOG_LEVEL=debug',
    ];
    const asked = await user.host.dockerWith({ input: 'n\n' }, ...install);
    const privileges = String(asked.stdout)
      .split('\n')
      .filter(line => line.startsWith(' - '));
    expect(privileges).toEqual([
      ' - network: [host]',
      ' - mount: [/run/docker]',
      ' - mount: [/proc/sys/net]',
      ' - mount: [/dev/null]',
      ' - capabilities: [CAP_NET_ADMIN CAP_SYS_ADMIN CAP_SYS_NICE]',
    ]);
    await user.docker('plugin', 'install', '--grant-all-permissions', ...install.slice(2));
    expect(await user.docker('plugin', 'ls', '--format', '{{.Name}} {{.Enabled}}')).toBe(
      'tsnet-plugin:latest true',
    );
    await user.docker('network', 'create', '-d', 'tsnet', '--subnet', '198.19.5.0/24', 'plain');
    await user.docker('network', 'create', '-d', 'tsnet-plugin:latest', '--subnet', '198.19.6.0/24', 'full');
    await user.docker('run', '-d', '--name', 'one', '--network', 'plain', 'busybox', 'sleep', '1d');
    await user.docker('network', 'connect', 'full', 'one');
    expect(await user.pings('198.19.5.2')).toBe(true);
    expect(await user.pings('198.19.6.2')).toBe(true);
  });

  it('upgrades it, and what runs runs on', async () => {
    const id = await user.pluginId();
    await user.stop();
    await user.docker(
      'plugin',
      'upgrade',
      '--grant-all-permissions',
      '--skip-remote-check',
      user.plugin,
      `${registry}/tsnet:2`,
    );
    await user.docker('plugin', 'enable', user.plugin);
    expect(await user.pluginId()).toBe(id);
    const { stdout } = await user.host.exec('cat', [`/var/lib/docker/plugins/${id}/rootfs/etc/variant`]);
    expect(stdout).toBe('2');
    expect(await user.pings('198.19.5.2')).toBe(true);
    await user.docker('run', '-d', '--name', 'two', '--network', 'full', 'busybox', 'sleep', '1d');
    expect(await user.pings('198.19.6.2', { container: 'two' })).toBe(true);
    await user.docker('rm', '-f', 'one', 'two');
    await user.docker('network', 'rm', 'plain', 'full');
    await soon(async () => expect(await user.links()).toEqual([]));
  });

  it('gives it under its full reference, too, to the engine that made it', async () => {
    await maker.docker('plugin', 'install', '--grant-all-permissions', `127.0.0.1:${PORT}/tsnet:2`);
    await maker.docker('network', 'create', '-d', 'tsnet', 'plain');
    await maker.docker('network', 'create', '-d', `127.0.0.1:${PORT}/tsnet:2`, 'full');
    const list = await maker.docker('network', 'ls', '--format', '{{.Name}} {{.Driver}}');
    expect(list.split('\n')).toEqual(
      expect.arrayContaining(['plain tsnet', `full 127.0.0.1:${PORT}/tsnet:2`]),
    );
    await maker.docker('network', 'rm', 'plain', 'full');
  });
});
