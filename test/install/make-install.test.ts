import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cacheDir, REPOSITORY } from '../lab/paths.ts';
import { waitFor } from '../lab/wait.ts';
import { hears, remains, serveHello } from './support/install-lab.ts';
import { SystemdHost } from './support/systemd-host.ts';

const INSTALL = join(REPOSITORY, 'scripts/install/install.sh');
const UNINSTALL = join(REPOSITORY, 'scripts/install/uninstall.sh');

describe('make install below a DESTDIR', () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'tsnet-destdir-'));
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  it.each([
    ['/usr/local', '/usr/local/lib'],
    ['/opt/tsnet', '/etc'],
  ])('lays everything for PREFIX=%s, starts nothing, and takes it away again', async (PREFIX, lib) => {
    const env = { DESTDIR: root, PREFIX };
    expect((await execa(INSTALL, { env })).stdout).toBe('');
    const unit = await readFile(join(root, lib, 'systemd/system/tsnet.service'), 'utf8');
    expect(unit).toContain(`\nExecStart=${PREFIX}/bin/tsnet serve\n`);
    expect(unit).toContain(`\nDocumentation=file://${PREFIX}/share/doc/tsnet/install.md\n`);
    expect((await stat(join(root, PREFIX, 'bin/tsnet'))).mode & 0o777).toBe(0o755);
    expect(await readdir(join(root, PREFIX, 'share/doc/tsnet'))).toContain('install.md');

    await execa(UNINSTALL, { env });
    const left = await readdir(root, { recursive: true, withFileTypes: true });
    expect(left.filter(entry => !entry.isDirectory())).toEqual([]);
  });

  it('refuses a PREFIX that leads nowhere', async () => {
    const result = await execa(INSTALL, { env: { DESTDIR: root, PREFIX: 'here' }, reject: false });
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain('PREFIX=here is not absolute');
  });
});

describe('make install on a host, newest engine', () => {
  let host: SystemdHost;
  const tsnet = '/usr/local/bin/tsnet';
  const start = () => host.sh('systemctl start tsnet.socket tsnet.service');
  const zones = () => host.sh('firewall-cmd --get-active-zones');
  const stop = () => host.sh('systemctl stop tsnet.socket tsnet.service');

  beforeAll(async () => {
    host = await SystemdHost.create({ engine: 'newest' });
    await host.exec('systemctl', ['--quiet', 'enable', '--now', 'docker.service']);
    await host.loadImage();
  });
  afterAll(() => host?.[Symbol.asyncDispose]());

  it('has the driver running in one command, with the engine already there', async () => {
    expect(await host.sh(INSTALL)).toMatch(
      /installed [\d.]+\S* as \/usr\/local\/bin\/tsnet\n.*docker network create -d tsnet/,
    );
    // Of two networks the first by name has the published ports.
    await host.docker('network', 'create', '-d', 'tsnet', 'app');
    const lan = ['--subnet', '198.18.0.0/24', '--gateway', '198.18.0.1', '--ip-range', '198.18.0.192/27'];
    await host.docker('network', 'create', '-d', 'tsnet', ...lan, '-o', 'parent=eth0', 'lan');
    await serveHello(host, 'web1', '--network', 'app', '-p', '80:80');
    await serveHello(host, 'lan1', '--network', 'lan', '--ip', '198.18.0.200', '-p', '81:80');
    for (const at of ['127.0.0.1:80', '198.18.0.200:81']) await hears(host, at);
    await host.docker('network', 'connect', 'lan', 'web1');
  });

  it('can be repeated, with containers running', async () => {
    await host.sh(INSTALL);
    await hears(host, '127.0.0.1:80');
    expect(await host.sh('systemctl is-active tsnet.socket tsnet.service')).toBe('active\nactive');
  });

  it('stands in the way of a package, which would be overruled by it', async () => {
    const words = await host.refused(join(REPOSITORY, 'scripts/deb/preinst'), 'install');
    expect(words).toContain('make uninstall');
  });

  it('is not uninstalled while networks exist: they are listed, and all goes on', async () => {
    const words = await host.refused(UNINSTALL);
    expect(words).toContain('2 networks of tsnet exist');
    expect(words).toContain('lan: macvlan on eth0, 2 containers');
    expect(words).toContain('app: bridge, 1 container');
    expect(await host.sh('systemctl is-active tsnet.socket tsnet.service')).toBe('active\nactive');
    await hears(host, '127.0.0.1:80');
  });

  it('is not purged under a daemon, nor where systemd would start one, not even by force', async () => {
    const before = await remains(host);
    expect(await host.refused(tsnet, 'purge', '--force')).toMatch(
      /INSTANCE_RUNNING: the daemon .*systemctl stop/,
    );
    await host.sh('systemctl stop tsnet.service');
    expect(await host.refused(tsnet, 'purge', '--force')).toMatch(/SOCKET_IN_USE: .*systemctl stop/);
    expect(await host.sh('systemctl is-active tsnet.service || true')).toBe('inactive');
    expect((await remains(host)).filter(one => !one.includes('/var/lib/'))).toEqual(
      before.filter(one => !one.includes('/var/lib/') && one !== 'table inet tsnet_flows'),
    );
    await start();
  });

  it('leaves links alone of which the state says nothing, and a state that it cannot read', async () => {
    await stop();
    await host.sh('mv /var/lib/tsnet/tsnet.db /run/tsnet.db; rm -f /var/lib/tsnet/tsnet.db-*');
    const words = await host.refused(tsnet, 'purge');
    expect(words).toMatch(
      /nothing is removed: the links tsb\w+, .* are of networks that are not in this state/,
    );
    await host.sh('echo nonsense > /var/lib/tsnet/tsnet.db');
    expect(await host.refused(tsnet, 'purge')).toContain('STATE_CORRUPT');
    await host.sh('mv /run/tsnet.db /var/lib/tsnet/tsnet.db');
    await start();
    await hears(host, '127.0.0.1:80');
  });

  it('binds its bridge into firewalld’s zone from within its restrictions', async () => {
    const files = join(cacheDir(), 'firewalls');
    const actions = '/usr/share/polkit-1/actions';
    await host.sh(`cp -a ${files}/etc ${files}/usr /; mkdir -p ${actions}`);
    // As its package does it when it is installed.
    const policy = 'org.fedoraproject.FirewallD1';
    await host.sh(
      `ln -sf ${policy}.server.policy.choice ${actions}/${policy}.policy; systemctl daemon-reload`,
    );
    await host.sh('systemctl start firewalld; systemctl restart tsnet');
    await waitFor(async () => /^ .*\btsb\w+/m.test(await zones()), {
      timeout: 30_000,
      what: 'a bridge in a zone',
    });
    await hears(host, '127.0.0.1:80');
  });

  it('says first what a purge would remove', async () => {
    const words = await host.sh(`${tsnet} purge --dry-run --force`);
    expect(words).toMatch(/^would remove link tsb\w+$/m);
    expect(words).toMatch(/^would remove redirect in \/var\/run\/docker\/netns\/\w+$/m);
    expect(words).toContain('would remove the table inet tsnet\n');
    expect(words).toContain('would remove the state in /var/lib/tsnet');
    await hears(host, '127.0.0.1:80');
  });

  it('is purged with networks and the interfaces of running containers, on demand', async () => {
    expect((await remains(host)).length).toBeGreaterThan(5);
    const words = await host.sh(`${UNINSTALL} --purge`);
    expect(words).toMatch(/^removed link tsb\w+$/m);
    expect(await remains(host)).toEqual([]);
    expect(await zones()).not.toMatch(/ tsb/);
    for (const container of ['web1', 'lan1']) {
      const links = await host.docker('exec', container, 'ip', '-o', 'link');
      expect(links.split('\n').map(line => line.split(': ')[1])).toEqual(['lo']);
    }
    // The state directory itself is a mount of the lab's.
    const files = await host.sh('find / -xdev -not -path "/proc/*" -name "*tsnet*" 2>/dev/null || true');
    expect(
      files
        .split('\n')
        .filter(file => /^\/(usr|etc|run|var)\//.test(file) && !/cache|^.var.lib.tsnet$/.test(file)),
    ).toEqual([]);
    expect(await host.sh('ls /run/docker/plugins; systemctl list-units --no-legend "tsnet*"')).toBe('');
  });

  it('leaves alone what a managed plugin has made that serves the host', async () => {
    const place = join(REPOSITORY, 'src/instance/place.ts');
    const plugin = "{ kind: 'plugin', id: 'abcdef'.padEnd(64, '0'), version: '9.9.9' }";
    const script = `import { takePlace } from '${place}'; await takePlace(${plugin}); setInterval(() => {}, 1e6)`;
    await host.sh(`systemd-run -q -u plugin ${process.execPath} --input-type=module -e "${script}"`);
    // Not by `tsnet purge`, which takes the place itself for a moment, and the plugin would find it taken.
    await waitFor(async () => (await host.sh('cat /proc/net/unix')).includes('@tsnet/instance'), {
      what: 'the plugin to take its place',
    });
    await host.sh('ip link add tsbleft type bridge; ip link set tsbleft alias "tsnet:$(printf %064d 7)"');
    const built = join(REPOSITORY, 'dist/tsnet');
    const says = 'the managed plugin abcdef000000 (tsnet 9.9.9) serves this host: its links and rules stay';
    expect(await host.exec(built, ['purge'], { reject: false })).toMatchObject({ stdout: says });
    expect(await host.refused(built, 'purge', '--force')).toContain('INSTANCE_RUNNING: the managed plugin');
    expect(await remains(host)).toEqual(['link tsbleft']);
    expect(await host.refused(INSTALL)).toMatch(
      /the managed plugin abcdef000000 .* serves this host.*not started/,
    );
    expect(await host.sh('systemctl is-active tsnet.service || true')).toBe('inactive');
    expect(await remains(host)).toEqual(['link tsbleft']);
    await host.sh('systemctl stop plugin');
    expect(await host.refused(built, 'purge')).toContain('the links tsbleft are of networks');
    await host.sh(`${built} purge --force`);
    expect(await remains(host)).toEqual([]);
  });
});
