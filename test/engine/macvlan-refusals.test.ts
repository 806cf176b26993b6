import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Lab } from '../lab/lab.ts';
import { waitFor } from '../lab/wait.ts';
import { reaches, startContainer, wipe } from './support/macvlan-lab.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

const SUBNET = ['--subnet', '198.18.1.0/24', '--gateway', '198.18.1.1'];

describe.each(ENGINES)('what a macvlan network is refused for, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }], nics: 2 });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
  });
  afterEach(() => wipe(host));
  afterAll(() => lab?.destroy());

  /** Creates a network, which has to fail and to leave nothing. @returns what docker said */
  async function refused(...options: string[]): Promise<string> {
    const before = await allLinks();
    const words = await host.refused('network', 'create', '-d', 'tsnet', ...SUBNET, ...options, 'bad');
    expect(await host.docker('network', 'ls', '-q', '-f', 'name=^bad$')).toBe('');
    expect(await allLinks()).toEqual(before);
    // The engine kept nothing, so the same subnet can be had at once.
    await host.docker('network', 'create', '-d', 'tsnet', ...SUBNET, '-o', 'mode=macvlan', 'good');
    await host.docker('network', 'rm', 'good');
    return words;
  }
  const allLinks = async () => String((await host.host.sh('ip -br link | cut -d" " -f1 | sort')).stdout);
  /** A line of shell on the host, and another one that takes it back when the test is over. */
  async function during(line: string, undo: string): Promise<void> {
    onTestFinished(async () => {
      await host.host.sh(undo);
    });
    await host.host.sh(line);
  }

  it('a parent that does not exist: those that do are listed, and the nearest is named', async () => {
    const words = await refused('-o', 'parent=etho1');
    expect(words).toContain('PARENT_MISSING: parent etho1 does not exist');
    expect(words).toMatch(/the links here are .*\beth0\b.*\beth1\b/);
    expect(words).toContain('eth1 is the nearest');
    expect(words).not.toMatch(/the links here are[^;]*\blo\b/);
  });

  it('the loopback', async () => {
    expect(await refused('-o', 'parent=lo')).toContain('PARENT_LOOPBACK: parent lo is the loopback link');
  });

  it('a wireless link', async () => {
    // What tells a wireless link is a directory in sysfs, which a mount can lay over any link's.
    const sys = '/sys/devices/virtual/net/wlan0';
    await during(
      `ip link add wlan0 type veth peer name wlan0p; mount -t tmpfs none ${sys}; mkdir ${sys}/phy80211`,
      `umount ${sys}; ip link del wlan0`,
    );
    const words = await refused('-o', 'parent=wlan0');
    expect(words).toContain('PARENT_WIFI: parent wlan0 is a wireless link');
    expect(words).toContain('Use a wired parent, or a bridge network');
  });

  it('a port of a bridge', async () => {
    await during(
      'ip link add sw0 type bridge; ip link add port0 type veth peer name port0p; ip link set port0 master sw0',
      'ip link del port0; ip link del sw0',
    );
    const words = await refused('-o', 'parent=port0');
    expect(words).toContain('PARENT_BUSY: parent port0 is a port of sw0');
    expect(words).toContain('Use the bridge itself as parent');
  });

  it('a parent that carries ipvlan links', async context => {
    const added = await host.host.exec('ip', ['link', 'add', 'ipvl0', 'link', 'eth1', 'type', 'ipvlan'], {
      reject: false,
    });
    if (added.exitCode !== 0) context.skip(`this kernel makes no ipvlan link: ${added.stderr}`);
    onTestFinished(async () => {
      await host.host.exec('ip', ['link', 'del', 'ipvl0']);
    });
    expect(await refused('-o', 'parent=eth1')).toContain(
      'PARENT_BUSY: parent eth1 carries the ipvlan link ipvl0',
    );
  });

  it("an MTU above the parent's", async () => {
    const words = await refused('-o', 'parent=eth1', '-o', 'com.docker.network.driver.mtu=1501');
    expect(words).toContain('MTU_TOO_LARGE: MTU 1501 is above that of parent eth1, 1500');
  });

  it.each([
    ['-o', 'parent=eth1', '-o', 'mtu=67'],
    ['-o', 'parent=eth1', '-o', 'mtu=1500x'],
    ['-o', 'parent=eth1', '-o', 'macvlan_mode=brigde'],
    ['-o', 'parent=eth1', '-o', 'shim=perhaps'],
    ['-o', 'parent=eth1', '-o', 'mode=ipvlan'],
  ])('a value that an option does not have: %s %s %s %s', async (...options) => {
    const words = await refused(...options);
    expect(words).toContain('OPTION_INVALID: option ');
    expect(words).toContain(options.at(-1)?.split('=')[1]);
  });

  it.each([
    ['parnet=eth1', 'parent'],
    ['macvlan-mode=private', 'macvlan_mode'],
    ['com.docker.network.driver.mtuu=1400', 'com.docker.network.driver.mtu'],
    ['Shim=off', 'shim'],
  ])('an option that is not known, with the nearest named: %s', async (option, nearest) => {
    const words = await refused('-o', 'mode=macvlan', '-o', option);
    expect(words).toContain(
      `OPTION_UNKNOWN: option "${option.split('=')[0]}" is not known; ${nearest} is the nearest`,
    );
  });

  it.each([
    ['-o', 'parent=eth1', '-o', 'mode=bridge'],
    ['-o', 'parent=eth1', '-o', 'macvlan_mode=vepa', '-o', 'shim=on'],
    ['-o', 'mode=macvlan', '-o', 'shim=on'],
    ['-o', 'parent=eth1', '-o', 'mtu=1400', '-o', 'com.docker.network.driver.mtu=1300'],
    ['-o', 'parent=eth1', '-o', 'com.docker.network.bridge.name=br7'],
  ])('options that contradict each other: %s %s %s %s %s %s', async (...options) => {
    expect(await refused(...options)).toContain('OPTION_CONFLICT: option ');
  });

  it.each([
    'eth1;touch /tmp/pwned',
    '$(touch /tmp/pwned)',
    '`touch /tmp/pwned`',
    'eth1 | touch /tmp/pwned',
    'eth1\ntouch /tmp/pwned',
    '../../../tmp/pwned',
    'eth1" } ; flush ruleset #',
    '-all',
    'all',
    'a-name-of-16-char',
  ])('a parent that is no link name: %j', async parent => {
    const rules = (await host.host.sh('nft list ruleset')).stdout;
    expect(await refused('-o', `parent=${parent}`)).toMatch(
      /OPTION_INVALID: option parent=.* is not a link name/,
    );
    expect((await host.host.exec('ls', ['/tmp'])).stdout).not.toContain('pwned');
    expect((await host.host.sh('nft list ruleset')).stdout).toBe(rules);
  });

  it('a container while its parent is down, and nothing half made stays', async () => {
    await during('ip link set eth1 down', 'ip link set eth1 up');
    await host.docker('network', 'create', '-d', 'tsnet', ...SUBNET, '-o', 'parent=eth1', 'lan');
    const warning = 'parent eth1 is down; containers cannot start on it until it is up';
    // The log comes after the answer.
    await waitFor(() => host.log().includes(warning), { what: () => `the warning:\n${host.log()}` });
    const before = await allLinks();
    // The name of the network is learned apart from its creation; from then on errors use it.
    const words = await waitFor(
      async () => {
        const said = await host.refused(
          'run',
          '-d',
          '--name',
          'c1',
          '--network',
          'lan',
          'busybox',
          'sleep',
          '1d',
        );
        await host.docker('rm', '-f', 'c1');
        return said.includes('network lan') && said;
      },
      { what: 'an error that names the network' },
    );
    expect(words).toContain(
      'PARENT_DOWN: parent eth1 of network lan is down. Bring it up: ip link set eth1 up.',
    );
    expect(await allLinks()).toEqual(before);
    const routes = await host.host.sh(
      'ip route show proto 116; ip neigh show nud permanent | grep 198.18.1 || true',
    );
    expect(routes.stdout).toBe('');

    // Up again, the same command works, with the first address.
    await host.host.exec('ip', ['link', 'set', 'eth1', 'up']);
    const c1 = await startContainer(host, 'c1', 'lan');
    expect(c1.address4).toBe('198.18.1.2');
    await reaches(lab.lan, c1.address4);
    await reaches(host.host, c1.address4);
  });

  it('a container whose parent has gone since', async () => {
    await during(
      'ip link add gone type veth peer name gonep; ip link set gone up',
      'ip link del gone || true',
    );
    await host.docker('network', 'create', '-d', 'tsnet', ...SUBNET, '-o', 'parent=gone', 'lan');
    await host.host.exec('ip', ['link', 'del', 'gone']);
    const words = await host.refused(
      'run',
      '-d',
      '--name',
      'c1',
      '--network',
      'lan',
      'busybox',
      'sleep',
      '1d',
    );
    expect(words).toMatch(/PARENT_MISSING: parent gone of network (lan|[0-9a-f]{12}) does not exist/);
    expect(await host.links()).toEqual([]);
    // And it comes back: the shim does so by itself.
    await host.host.sh('ip link add gone type veth peer name gonep; ip link set gone up');
    await waitFor(async () => (await host.links()).length === 1, {
      what: 'the shim to come back with its parent',
    });
    await host.docker('start', 'c1');
  });

  it('a gateway or host address outside the subnet', async () => {
    const words = await host.refused(
      ...['network', 'create', '-d', 'tsnet', '--subnet', '198.18.1.0/24', '--gateway', '198.18.2.1'],
      ...['-o', 'parent=eth1', 'bad'],
    );
    expect(words).toMatch(/198\.18\.2\.1/);
    const aux = await host.refused(
      ...['network', 'create', '-d', 'tsnet', ...SUBNET, '--aux-address', 'host=198.18.2.9'],
      ...['-o', 'parent=eth1', 'bad'],
    );
    expect(aux).toMatch(/198\.18\.2\.9/);
  });

  it("only warned of: a subnet that is not the parent's", async () => {
    await host.docker(
      'network',
      'create',
      '-d',
      'tsnet',
      '--subnet',
      '198.19.1.0/24',
      '-o',
      'parent=eth1',
      'lan',
    );
    const warning = 'no subnet of 198.19.1.0/24 is one of parent eth1 (198.18.1.11/24)';
    const line = host
      .log()
      .split('\n')
      .find(text => text.includes(warning));
    expect(line).toMatch(/WARN +NetworkDriver\.CreateNetwork outcome=ok/);
  });
});
