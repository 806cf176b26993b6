import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startContainer } from '../engine/support/macvlan-lab.ts';
import { PingSeries } from '../engine/support/ping-series.ts';
import { ENGINES } from '../engine/support/tsnet-host.ts';
import { Lab } from '../lab/lab.ts';
import { PLUGIN, PluginHost } from './support/plugin-host.ts';

const INSTALL = join(import.meta.dirname, '../../scripts/plugin/install.ts');

let lab: Lab;
let hosts: PluginHost[];
beforeAll(async () => {
  lab = await Lab.create({ hosts: ENGINES.map(engine => ({ engine })) });
  hosts = lab.hosts.map(host => new PluginHost(host));
  await Promise.all(hosts.map(host => Promise.all([host.host.loadImage(), layOutNext(next(host))])));
});
afterAll(async () => lab?.destroy());

/** The plugin as a later build of it would be, in a folder that the host sees. */
const next = (host: PluginHost): string => join(host.host.dir, 'next');

async function layOutNext(folder: string): Promise<void> {
  await execa('cp', ['-a', '--reflink=auto', PLUGIN, folder]);
  await writeFile(join(folder, 'rootfs/etc/variant'), 'next');
  const config = join(folder, 'config.json');
  const text = await readFile(config, 'utf8');
  await writeFile(config, text.replace(/build \w+/, 'build next'));
}

describe.each(ENGINES.map((generation, at) => ({ generation, at })))('on engine $generation', ({ at }) => {
  const host = (): PluginHost => hosts[at] as PluginHost;

  /** What `make plugin-install` runs, on the host itself. */
  const install = (folder: string, env: Record<string, string> = {}) =>
    host().host.exec('node', [INSTALL, folder], {
      env: { DOCKER_HOST: `unix://${host().host.socketPath}`, ...env },
      reject: false,
    });

  it('is created and enabled by make plugin-install, and left alone when it is the same', async () => {
    const first = await install(PLUGIN);
    expect(first.stderr).toBe('');
    expect(first.stdout).toContain('creating tsnet-plugin');
    expect(first.stdout).toMatch(/enabled tsnet-plugin within \d+ ms/);
    const pid = await host().pluginPid();
    const second = await install(PLUGIN);
    expect(second.stdout).toMatch(/^tsnet-plugin \(tsnet .* is enabled: .*$/);
    expect(await host().pluginPid()).toBe(pid);
  });

  it('refuses the one name that would hide the driver', async () => {
    const { exitCode, stderr } = await install(PLUGIN, { TSNET_PLUGIN: 'tsnet' });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('call it something else');
  });

  it('is upgraded under running containers, with its id, state, settings and networks', async () => {
    await host().stop();
    await host().start();
    const id = await host().pluginId();
    const network = await host().docker(
      'network',
      'create',
      '-d',
      'tsnet',
      '--subnet',
      '198.19.2.0/24',
      'kept',
    );
    await startContainer(host(), 'old', 'kept', '-p', '8080:80');
    const before = await host().attachment('old', 'kept');
    const pings = await PingSeries.start(host().host, '198.19.2.2');

    const { stdout, stderr } = await install(next(host()));
    expect(stderr).toBe('');
    expect(stdout).toContain('upgrading tsnet-plugin, which is tsnet');
    expect(stdout).toContain('build next');
    await pings.more(3);
    expect(await pings.stop()).toEqual([]);

    expect(await host().pluginId()).toBe(id);
    expect(await host().host.exec('cat', [`/var/lib/docker/plugins/${id}/rootfs/etc/variant`])).toMatchObject(
      {
        stdout: 'next',
      },
    );
    expect(await host().docker('plugin', 'inspect', '-f', '{{.Settings.Env}}', id)).toContain('LEVEL=debug');
    expect(await host().docker('network', 'ls', '-q', '--no-trunc', '-f', 'driver=tsnet')).toBe(network);
    expect(await host().attachment('old', 'kept')).toEqual(before);
    const ports = JSON.parse(await host().tsnet('ports', '--json')) as { hostPort: number }[];
    expect(ports.map(({ hostPort }) => hostPort)).toContain(8080);
    await host().docker('run', '-d', '--name', 'new', '--network', 'kept', 'busybox', 'sleep', '1d');
    expect(await host().pings('198.19.2.2', { container: 'new' })).toBe(true);
    await host().docker('rm', '-f', 'old', 'new');
    await host().docker('network', 'rm', 'kept');
  });
});
