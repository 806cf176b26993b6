import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REPOSITORY } from '../lab/paths.ts';
import { buildPackage, entries, hears, remains, serveHello } from './support/install-lab.ts';
import { SystemdHost } from './support/systemd-host.ts';

const { version } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8'));
const digest = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

describe('the Debian package under Debian’s systemd and docker.service', () => {
  let host: SystemdHost;
  let deb: string;

  beforeAll(async () => {
    deb = await buildPackage();
    host = await SystemdHost.create({ disk: 'dir' });
    // The way of it that needs most: the daemon runs a program, which takes a lock in /run.
    for (const name of ['iptables', 'ip6tables'])
      await host.sh(`update-alternatives --set ${name} /usr/sbin/${name}-legacy 2>&1`);
  });
  afterAll(() => host?.[Symbol.asyncDispose]());

  it('has the same bytes when it is built again', async () => {
    const before = digest(deb);
    expect(await buildPackage()).toBe(deb);
    expect(digest(deb)).toBe(before);
  });

  it('names what it needs, and has no file that belongs to the administrator', async () => {
    const { stdout: fields } = await execa('dpkg-deb', ['-f', deb]);
    expect(fields).toContain(`Version: ${version}`);
    expect(fields).toMatch(/^Depends: libc6 \(>= 2\.\d+\), libgcc-s1, libstdc\+\+6 .*libnftables1/m);
    const { stdout: list } = await execa('dpkg-deb', ['-c', deb]);
    expect(list).toMatch(/^-rwxr-xr-x root\/root .* \.\/usr\/bin\/tsnet$/m);
    expect(list).not.toContain('./etc/');
    expect(list.split('\n').every(line => / root\/root /.test(line))).toBe(true);
  });

  it('starts its socket and its service when it is installed', async () => {
    await host.exec('dpkg', ['-i', deb]);
    expect(await host.sh('tsnet --version')).toBe(version);
    expect(await host.sh('systemctl is-active tsnet.socket tsnet.service')).toBe('active\nactive');
    expect(await host.sh('systemctl is-enabled tsnet.socket tsnet.service')).toBe('enabled\nenabled');
    const install = join(REPOSITORY, 'scripts/install/install.sh');
    expect(await host.refused(install)).toContain('the Debian package tsnet is installed here');
    expect(await host.sh('stat -c %F:%a /run/docker/plugins/tsnet.sock')).toBe('socket:600');
    await host.exec('systemctl', ['--quiet', 'enable', '--now', 'docker.service']);
    await host.loadImage();
  });

  it('has units that systemd finds nothing wrong with, and keeps the daemon on a short lead', async () => {
    expect(
      await host.sh('systemd-analyze verify tsnet.socket tsnet.service 2>&1 | grep -i tsnet || true'),
    ).toBe('');
    // 10 is no restriction at all, docker.service is at 9.6; no daemon with these rights gets much below 3.
    await host.sh('systemd-analyze security --threshold=35 tsnet.service');
    const pid = await host.property('tsnet.service', 'MainPID');
    const status = await host.sh(`cat /proc/${pid}/status`);
    expect(status).toMatch(/^NoNewPrivs:\s1$/m);
    expect(status).toMatch(/^Seccomp:\s2$/m);
    // DAC_READ_SEARCH, NET_BIND_SERVICE, NET_ADMIN, NET_RAW, SYS_PTRACE, SYS_ADMIN, SYS_NICE of <linux/capability.h>.
    const allowed = [2, 10, 12, 13, 19, 21, 23].reduce((mask, bit) => mask | (1n << BigInt(bit)), 0n);
    const bounds = BigInt(`0x${/^CapBnd:\s*(\w+)$/m.exec(status)?.[1]}`);
    expect(bounds.toString(16)).toBe(allowed.toString(16));
  });

  it('does under it what it does without: bridge, macvlan, ports, names of who is in the way', async () => {
    await host.docker('network', 'create', '-d', 'tsnet', '--ipam-driver', 'tsnet', 'web');
    const lan = ['--subnet', '198.18.0.0/24', '--gateway', '198.18.0.1', '--ip-range', '198.18.0.192/27'];
    await host.docker('network', 'create', '-d', 'tsnet', ...lan, '-o', 'parent=eth0', 'lan');
    await serveHello(host, 'web1', '--network', 'web', '--restart', 'always', '-p', '80:80');
    await serveHello(
      host,
      'lan1',
      '--network',
      'lan',
      '--restart',
      'always',
      '--ip',
      '198.18.0.200',
      '-p',
      '81:80',
    );
    for (const at of ['127.0.0.1:80', '198.18.0.11:80', '[::1]:80', '198.18.0.200:81']) await hears(host, at);
    await host.docker('network', 'connect', 'lan', 'web1');
    await host.docker('exec', 'web1', 'ping', '-c1', '-W2', '198.18.0.200');
    await host.docker('network', 'disconnect', 'lan', 'web1');

    // Of another user: to find it takes rights over its files in /proc.
    const listener =
      'use IO::Socket::INET; @s = IO::Socket::INET->new(LocalPort => 8088, Listen => 1); sleep';
    await host.sh(`systemd-run -q -u listener -p User=nobody perl -e '${listener}'`);
    await host.sh('until ss -tlnH sport = :8088 | grep -q .; do sleep 0.05; done', { timeout: 10_000 });
    const run = ['run', '--rm', '--network', 'web', '-p', '8088:80', 'busybox', 'true'];
    expect(await host.refused('docker', ...run)).toMatch(/taken by process perl \(pid \d+\)/);
    await host.sh('systemctl stop listener');
  });

  it('lets its packets past the engine’s policy with the old iptables, too', async () => {
    expect(await host.sh('iptables-legacy -S DOCKER-USER')).toMatch(/--comment tsnet -j ACCEPT/);
  });

  it('writes a journal by priorities, without the time and level that the journal has', async () => {
    const lines = await entries(host, '-t', 'tsnet');
    const created = lines.find(({ MESSAGE }) => MESSAGE.startsWith('NetworkDriver.CreateNetwork '));
    expect(created).toMatchObject({ PRIORITY: '6' });
    expect(lines.every(({ MESSAGE }) => !/^\d{4}-|^<\d>|^(INFO|WARN)/.test(MESSAGE))).toBe(true);
    const [refusal, ...more] = await entries(host, '-t', 'tsnet', '-p', 'warning');
    expect(refusal?.MESSAGE).toMatch(/^NetworkDriver\.ProgramExternalConnectivity outcome=PORT_TAKEN/);
    // Nothing that its restrictions forbid has been tried.
    expect(more.map(({ MESSAGE }) => MESSAGE)).toEqual([]);
  });

  it('is started by the next docker command when it has been stopped, and at once when it was killed', async () => {
    await host.sh('systemctl stop tsnet.service');
    await host.docker('network', 'create', '-d', 'tsnet', 'third');
    expect(await host.sh('systemctl is-active tsnet.service')).toBe('active');
    await host.sh('systemctl kill -s KILL tsnet.service');
    await host.docker('network', 'rm', 'third');
    expect(await host.property('tsnet.service', 'NRestarts')).toBe('1');
    await hears(host, '198.18.0.11:80');
  });

  it('is upgraded while its socket goes on listening', async () => {
    const socket = () =>
      host.sh('awk \'$NF == "/run/docker/plugins/tsnet.sock" && $4 == 10000 { print $7 }\' /proc/net/unix');
    const [before, pid] = [await socket(), await host.property('tsnet.service', 'MainPID')];
    expect(before).toMatch(/^\d+$/);
    await host.exec('dpkg', ['-i', deb]);
    expect(await socket()).toBe(before);
    expect(await host.property('tsnet.service', 'MainPID')).not.toBe(pid);
    await hears(host, '198.18.0.11:80');
    await host.docker('network', 'inspect', 'web');
  });

  it('is there before the engine after a reboot, which has its containers back', async () => {
    await host.reboot();
    for (const at of ['127.0.0.1:80', '198.18.0.11:80', '198.18.0.200:81']) await hears(host, at);
    const system = await entries(host, '_PID=1');
    const time = (what: RegExp) => {
      const found = system.find(({ MESSAGE }) => what.test(MESSAGE));
      if (found === undefined) throw new Error(`no ${what} in the journal`);
      return Number(found.__MONOTONIC_TIMESTAMP);
    };
    expect(time(/^Listening on tsnet\.socket/)).toBeLessThan(time(/^Starting docker\.service/));
    expect(time(/^Started tsnet\.service/)).toBeLessThan(time(/^Starting docker\.service/));
    // In microseconds. containerd.service is the last one that the engine would wait for anyway.
    expect(time(/^Starting docker\.service/) - time(/^Started containerd\.service/)).toBeLessThan(1e6);
    // The engine begins before tsnet has restored the host: its calls wait on the socket.
    expect(await host.property('docker.service', 'NRestarts')).toBe('0');
  });

  it('is not removed while networks exist, and says which', async () => {
    for (const command of ['remove', 'purge']) {
      // apt gives dpkg a terminal of its own.
      const words = (await host.refused('apt-get', '-y', command, 'tsnet')).replaceAll('\r', '');
      expect(words).toContain('nothing is removed: 2 networks of tsnet exist');
      expect(words).toContain('  lan: macvlan on eth0, 1 container\n  web: bridge, 1 container\n');
      expect(words).toContain('docker network rm lan web');
    }
    expect(await host.sh('systemctl is-active tsnet.socket tsnet.service')).toBe('active\nactive');
    await hears(host, '198.18.0.11:80');
  });

  it('is removed without a trace but its state, and purged with that', async () => {
    await host.docker('rm', '-f', 'web1', 'lan1');
    await host.docker('network', 'rm', 'web', 'lan');
    await host.exec('apt-get', ['-y', 'remove', 'tsnet']);
    const left = await remains(host);
    expect(left).toContain('/var/lib/tsnet/tsnet.db');
    expect(left.filter(one => !one.startsWith('/var/lib/tsnet/'))).toEqual([]);
    expect(await host.sh('ls /run/docker/plugins; systemctl list-units --no-legend "tsnet*"')).toBe('');

    await host.exec('dpkg', ['-i', deb]);
    await host.docker('network', 'create', '-d', 'tsnet', 'again');
    await host.docker('network', 'rm', 'again');
    await host.exec('apt-get', ['-y', 'purge', 'tsnet']);
    expect(await remains(host)).toEqual([]);
    expect(await host.sh('find /etc /var/lib/systemd /usr -xdev -name "*tsnet*" 2>/dev/null')).toBe('');
  });
});
