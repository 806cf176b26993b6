import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reaches, startContainer, wipe } from '../engine/support/macvlan-lab.ts';
import { TSNET, TsnetHost } from '../engine/support/tsnet-host.ts';
import { engines, type Generation } from '../lab/engines.ts';
import type { Lab } from '../lab/lab.ts';
import { waitFor } from '../lab/wait.ts';
import { PluginHost, pluginLab } from './support/plugin-host.ts';

const GENERATIONS = (await engines()).map(({ generation }) => generation as Generation);

const SUBNET = ['--ipam-driver', 'tsnet', '--subnet', '198.18.64.0/24'];
/** Milliseconds; a socket that nobody listens on would cost 15,000. */
const NO_WAIT = 5000;

describe.each(GENERATIONS)('plain driver name of the plugin, engine %s', engine => {
  let lab: Lab;
  let host: PluginHost;

  beforeAll(async () => {
    const made = await pluginLab({ hosts: [{ engine }] });
    lab = made.lab;
    [host] = made.hosts as [PluginHost];
  });
  afterAll(() => lab?.destroy());

  /** What the link on the host leads to, and whether that is a socket. */
  const name = async (): Promise<string> => {
    const script =
      'cd /run/docker/plugins; readlink tsnet.sock || echo none; if [ -S tsnet.sock ]; then echo alive; fi';
    return String((await host.host.sh(script)).stdout).replace('\n', ' ');
  };
  const isLaid = async () => {
    const laid = `${await host.pluginId()}/tsnet.sock alive`;
    let found = '';
    const looks = async () => {
      found = await name();
      return found === laid;
    };
    await waitFor(looks, { what: () => `the link to be laid; there is: ${found}` });
  };
  /** `docker volume ls` asks every plugin whose socket the engine finds. */
  const looksAtPlugins = async () => {
    const start = performance.now();
    await host.docker('volume', 'ls');
    expect(performance.now() - start).toBeLessThan(NO_WAIT);
  };

  it('is a driver and an IPAM driver, beside NAME:TAG, in one process', async () => {
    await isLaid();
    await host.docker('network', 'create', '-d', 'tsnet', ...SUBNET, 'web');
    await host.docker(
      'network',
      'create',
      '-d',
      `${host.plugin}:latest`,
      '--subnet',
      '198.18.65.0/24',
      'tagged',
    );
    await startContainer(host, 'web1', 'web', '--ip', '198.18.64.7', '--restart', 'always');
    const tagged = await startContainer(host, 'tagged1', 'tagged');
    await reaches(host.host, '198.18.64.7');
    await reaches(host.host, tagged.address4);
    const drivers = ['network', 'inspect', '-f', '{{.Driver}} {{.IPAM.Driver}}'];
    expect(await host.docker(...drivers, 'web')).toBe('tsnet tsnet');
    expect(await host.docker(...drivers, 'tagged')).toBe(`${host.plugin}:latest default`);
    expect(await host.tsnet('status')).toMatch(/networks +2\nendpoints +2/);
    await host.docker('rm', '-f', 'tagged1');
    await host.docker('network', 'rm', 'tagged');
    await looksAtPlugins();
  });

  it('is there again after its process was killed, for the container that runs as well', async () => {
    await host.stop('KILL');
    await startContainer(host, 'web2', 'web');
    await isLaid();
    await looksAtPlugins();
    await reaches({ on: host, container: 'web2' }, '198.18.64.7');
    await host.docker('rm', '-f', 'web2');
  });

  it.each(['TERM', 'KILL'] as const)(
    'is there again after the engine was ended by %s, with the container',
    async how => {
      await host.host.stopEngine(how);
      if (how === 'TERM') expect(await name()).toBe('none');
      await host.host.startEngine();
      await isLaid();
      await looksAtPlugins();
      await reaches(host.host, '198.18.64.7');
    },
  );

  it('leads nowhere when engine and plugin were killed, and costs nobody time', async () => {
    const pid = await host.pluginPid();
    await host.host.stopEngine('KILL');
    await host.host.exec('kill', ['-KILL', String(pid)]);
    await host.host.startEngine();
    await isLaid();
    await looksAtPlugins();
    await reaches(host.host, '198.18.64.7');
  });

  it('goes when the plugin is disabled, and comes when it is enabled', async () => {
    await host.stop();
    expect(await name()).toBe('none');
    await looksAtPlugins();
    // what runs goes on running
    await reaches(host.host, '198.18.64.7');
    await host.start();
    await isLaid();
    await reaches(host.host, '198.18.64.7');
  });

  it('is refused to a second installation, in words; a daemon is refused as well', async () => {
    await host.create({ name: 'second', variant: 'second' });
    const second = new PluginHost(host.host, 'second');
    await second.start();
    const refusal = await host.refused(
      'network',
      'create',
      '-d',
      'second:latest',
      '--subnet',
      '198.18.66.0/24',
      'x',
    );
    expect(refusal).toContain(
      `INSTANCE_RUNNING: the managed plugin ${(await host.pluginId()).slice(0, 12)} (tsnet `,
    );
    await isLaid();

    const daemon = await host.host.spawn(TSNET, ['serve']);
    expect(await daemon.exited).toMatchObject({ code: 1 });
    expect(daemon.output()).toContain('tsnet: INSTANCE_RUNNING: the managed plugin ');
    expect(await name()).toContain('alive');
    await second.stop();
    await host.docker('plugin', 'rm', 'second');
    await isLaid();
  });

  it('leaves the path to a daemon when it is disabled; then the plugin is the one that is refused', async () => {
    await wipe(host);
    await host.stop();
    const daemon = new TsnetHost(host.host);
    await daemon.start();
    await host.docker('network', 'create', '-d', 'tsnet', ...SUBNET, 'web');
    await startContainer(host, 'web1', 'web', '--ip', '198.18.64.7');
    await reaches(host.host, '198.18.64.7');

    await host.start();
    const refusal = await host.refused('network', 'create', '-d', `${host.plugin}:latest`, 'x');
    expect(refusal).toContain('INSTANCE_RUNNING: the daemon with process id ');
    await daemon.stop('KILL');
    await waitFor(
      async () =>
        /INSTANCE_LEFT/.test(await host.refused('network', 'create', '-d', `${host.plugin}:latest`, 'x')),
      {
        what: 'the time of grace to pass',
      },
    );
    // its containers have what they had
    await reaches(host.host, '198.18.64.7');
    await daemon.start();
    await wipe(daemon);
    await daemon.stop();
  });

  it('goes with the plugin', async () => {
    await isLaid();
    await host.docker('plugin', 'rm', '-f', host.plugin);
    expect(await name()).toBe('none');
    await looksAtPlugins();
  });
});
