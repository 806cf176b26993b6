import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { talk } from '../engine/support/bridge-lab.ts';
import { Lab } from '../lab/lab.ts';
import { waitFor } from '../lab/wait.ts';
import { PluginHost } from './support/plugin-host.ts';

interface Status {
  attached: { byEngine: number; inside: number; unopened: number };
}

/** What docs/managed-plugin.md says of each privilege, on an engine that lets drivers see the sandbox at Join. */
describe('privileges of the managed plugin', () => {
  let lab: Lab;
  let full: PluginHost;
  let less: PluginHost;
  beforeAll(async () => {
    lab = await Lab.create({ hosts: [{ engine: 'newest' }] });
    full = new PluginHost(lab.host());
    less = new PluginHost(lab.host(), 'less');
    await lab.host().loadImage();
    // As on a host whose engine uses the old iptables, which nftables does not see.
    await lab.host().exec('iptables-legacy', ['-N', 'DOCKER-USER']);
    await full.create();
    await less.create({
      variant: 'less',
      config: config => {
        config.linux.capabilities = ['CAP_NET_ADMIN'];
      },
    });
  });
  afterAll(async () => lab?.destroy());

  const status = async (host: PluginHost): Promise<Status['attached']> =>
    (JSON.parse(await host.tsnet('status', '--json')) as Status).attached;

  async function createNetworks(host: PluginHost): Promise<void> {
    const create = ['network', 'create', '-d', 'tsnet'];
    await host.docker(...create, '--subnet', '198.19.8.0/24', 'one');
    await host.docker(...create, '--subnet', '198.19.9.0/24', 'two');
    const lan = [
      '--subnet',
      '198.18.0.0/24',
      '--ip-range',
      '198.18.0.128/25',
      '-o',
      'mode=macvlan',
      '-o',
      'parent=eth0',
    ];
    await host.docker(...create, ...lan, '-o', 'publish=self', 'lan');
  }

  it('are enough for the host: links, kernel parameters, both kinds of iptables', async () => {
    await full.start();
    await createNetworks(full);
    const [bridge = ''] = (await full.links()).filter(link => link.startsWith('tsb'));
    const { stdout } = await full.host.sh(
      `cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/conf/${bridge}/route_localnet`,
    );
    expect(stdout).toBe('1\n1');
    const legacy = await full.host.exec('iptables-legacy', ['-S', 'DOCKER-USER']);
    expect(legacy.stdout).toContain('-m mark --mark 0x10000000/0x10000000');
    const modern = await full.host.exec('iptables', ['-S', 'DOCKER-USER']);
    expect(modern.stdout).toContain('-m mark --mark 0x10000000/0x10000000');
  });

  it('are enough for sandboxes: an interface made inside, ports published on the own address', async () => {
    await full.docker('run', '-d', '--name', 'first', '--network', 'one', 'busybox', 'sleep', '1d');
    await full.docker('network', 'connect', 'two', 'first');
    expect((await status(full)).inside).toBe(1);
    expect(await full.pings('198.19.9.2')).toBe(true);
    await full.docker(
      'run',
      '-d',
      '--name',
      'second',
      '--network',
      'lan',
      '-p',
      '8080:80',
      'busybox',
      'nc',
      '-ll',
      '-p',
      '80',
      '-e',
      'hostname',
    );
    const name = await full.docker('exec', 'second', 'hostname');
    const answer = () => talk(lab.lan, '198.18.0.128', 8080);
    expect(await waitFor(answer, { what: 'it to answer the LAN' })).toBe(name);
    expect(await full.refused('network', 'create', '-d', 'tsnet', '-o', 'firewall=ufw', 'c')).toContain(
      'ufw',
    );
    await full.docker('rm', '-f', 'first', 'second');
    await full.docker('network', 'rm', 'one', 'two', 'lan');
    await full.stop();
  });

  it('are not more than it takes: without CAP_SYS_ADMIN sandboxes are closed', async () => {
    await less.start();
    await createNetworks(less);
    await less.docker('run', '-d', '--name', 'first', '--network', 'one', 'busybox', 'sleep', '1d');
    await less.docker('network', 'connect', 'two', 'first');
    expect(await status(less)).toEqual({ byEngine: 2, inside: 0, unopened: 2 });
    expect(await less.pings('198.19.9.2')).toBe(true);
    expect(
      await less.refused('run', '-d', '--name', 'second', '--network', 'lan', '-p', '8080:80', 'busybox'),
    ).toMatch(/redirect of 1 port.*denied/);
    await less.docker('rm', '-f', 'first', 'second');
    await less.docker('network', 'rm', 'one', 'two', 'lan');
  });
});
