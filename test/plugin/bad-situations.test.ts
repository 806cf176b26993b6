import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { reaches, startContainer } from '../engine/support/macvlan-lab.ts';
import { ENGINES } from '../engine/support/tsnet-host.ts';
import { Lab } from '../lab/lab.ts';
import { waitFor } from '../lab/wait.ts';
import { type CreateOptions, type PluginConfig, PluginHost } from './support/plugin-host.ts';

const NETWORK = ['network', 'create', '--subnet', '198.18.64.0/24'] as const;

const withoutCapability = (name: string) => (config: PluginConfig) => {
  config.linux.capabilities = config.linux.capabilities.filter(capability => capability !== name);
};

/** What is wrong is told where a user looks: by the docker command that it keeps from working. More of it: test/instance. */
describe('the managed plugin', () => {
  let lab: Lab;
  let host: PluginHost;

  beforeAll(async () => {
    lab = await Lab.create({ hosts: [{ engine: ENGINES.at(-1) ?? 'newest' }] });
    host = new PluginHost(lab.host());
    await host.host.loadImage();
  });
  afterEach(() => host.docker('plugin', 'rm', '-f', host.plugin));
  afterAll(() => lab?.destroy());

  const create = async (config?: CreateOptions['config']) =>
    host.create(config === undefined ? {} : { config });

  it('without CAP_NET_ADMIN is enabled, and a network is refused with what to do', async () => {
    await create(withoutCapability('CAP_NET_ADMIN'));
    await host.start();
    for (const name of ['tsnet', `${host.plugin}:latest`]) {
      expect(await host.refused(...NETWORK, '-d', name, 'web')).toMatch(
        /CAPABILITY: tsnet runs without CAP_NET_ADMIN\. As a managed plugin: install it again and grant/,
      );
    }
    expect(await host.docker('plugin', 'ls', '--format', '{{.Enabled}}')).toBe('true');
  });

  it('without CAP_SYS_ADMIN works, the engine puts all interfaces into containers', async () => {
    await create(withoutCapability('CAP_SYS_ADMIN'));
    await host.start();
    await host.docker(...NETWORK, '-d', 'tsnet', 'web');
    await host.docker('network', 'create', '-d', 'tsnet', '--subnet', '198.18.65.0/24', 'more');
    const { address4 } = await startContainer(host, 'web1', 'web');
    await host.docker('network', 'connect', 'more', 'web1');
    await reaches(host.host, address4);
    await reaches(host.host, String((await host.attachment('web1', 'more'))['IPAddress']));
    expect(await host.tsnet('status')).toMatch(/attached +0 by tsnet inside the container, 2 by the engine/);
    expect(host.log()).toContain('without CAP_SYS_ADMIN containers cannot be entered');
    await host.docker('rm', '-f', 'web1');
    await host.docker('network', 'rm', 'web', 'more');
  });

  it("without the host's /run/docker is known as NAME:TAG, and the log says so", async () => {
    await create(config => {
      config.mounts = config.mounts.filter(({ name }) => name !== 'run-docker');
    });
    await host.start();
    await host.docker(...NETWORK, '-d', `${host.plugin}:latest`, 'web');
    await host.docker('network', 'rm', 'web');
    expect(host.log()).toMatch(/the driver is known as NAME:TAG only: the folder of its socket is not among/);
  });

  it('with the state of a newer version refuses in words, and leaves it as it is', async () => {
    await create();
    await host.start();
    await host.docker(...NETWORK, '-d', 'tsnet', 'web');
    await host.stop();
    const file = `/var/lib/docker/plugins/${await host.pluginId()}/propagated-mount/tsnet.db`;
    const version = async (change: string): Promise<number> => {
      const script = `const { DatabaseSync } = require('node:sqlite'); const db = new DatabaseSync('${file}');
        let { user_version: v } = db.prepare('PRAGMA user_version').get();
        v = v ${change}; db.exec('PRAGMA user_version = ' + v); console.log(v)`;
      return Number((await host.host.exec('node', ['-e', script])).stdout);
    };
    const newer = await version('+ 1');
    await host.start();
    const refusal = await host.refused(
      'network',
      'create',
      '-d',
      'tsnet',
      '--subnet',
      '198.18.65.0/24',
      'more',
    );
    expect(refusal).toContain(
      `STATE_TOO_NEW: the state file has version ${newer}, this tsnet knows ${newer - 1}.`,
    );
    expect(await host.links()).toHaveLength(1);
    await version('- 1');
    await startContainer(host, 'web1', 'web');
    await reaches({ on: host, container: 'web1' }, '198.18.64.1');
    await host.docker('rm', '-f', 'web1');
    await host.docker('network', 'rm', 'web');
  });

  it('with settings that make no sense runs with the defaults; a mount that is not there is told by enable', async () => {
    await create();
    expect(await host.refused('plugin', 'set', host.plugin, 'TSNET_NONSENSE=1')).toContain('TSNET_NONSENSE');
    await host.docker('plugin', 'set', host.plugin, 'engine.source=/not/there', 'TSNET_LOG_LEVEL=loud');
    expect(await host.refused('plugin', 'enable', host.plugin)).toContain('/not/there');
    await host.docker('plugin', 'set', host.plugin, 'engine.source=/run/docker.sock');
    await host.docker('plugin', 'enable', host.plugin);
    await host.docker(...NETWORK, '-d', 'tsnet', 'web');
    expect(host.log()).toContain('TSNET_LOG_LEVEL=loud is left aside, info is used');
    // with the engine's API it learns the names that users give
    await startContainer(host, 'web1', 'web', '-p', '8080:80');
    await waitFor(async () => /web +0\.0\.0\.0:8080/.test(await host.tsnet('ports')), {
      what: 'the name of the network',
    });
    await host.docker('rm', '-f', 'web1');
    await host.docker('network', 'rm', 'web');
  });
});
