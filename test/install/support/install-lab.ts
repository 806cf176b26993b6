import { join } from 'node:path';
import { execa } from 'execa';
import { REPOSITORY } from '../../lab/paths.ts';
import { waitFor } from '../../lab/wait.ts';
import type { SystemdHost } from './systemd-host.ts';

/** Builds the Debian package of dist/tsnet. @returns its path, which lab hosts see as well */
export async function buildPackage(): Promise<string> {
  const build = join(REPOSITORY, 'scripts/deb/build.ts');
  const { stdout } = await execa(process.execPath, [build]);
  return join(REPOSITORY, stdout.trim());
}

/** What of tsnet's is on a host: marked links, tables, marks in DOCKER-USER, and the state. */
export async function remains(host: SystemdHost): Promise<string[]> {
  const links = JSON.parse(await host.sh('ip -j link')) as { ifname: string; ifalias?: string }[];
  const legacy = 'iptables-legacy -S; ip6tables-legacy -S';
  const rules = await host.sh(`{ nft list ruleset; ${legacy}; } 2> /dev/null`);
  return [
    ...links.flatMap(({ ifname, ifalias }) => (ifalias?.startsWith('tsnet:') ? [`link ${ifname}`] : [])),
    ...(await host.sh('ip route show table all proto 116; ip -6 route show table all proto 116')).split('\n'),
    ...[...rules.matchAll(/^table inet tsnet\w*/gm)].map(String),
    ...[...rules.matchAll(/comment "?tsnet/g)].map(() => 'a rule in DOCKER-USER'),
    ...(await host.sh('find /var/lib/tsnet -type f 2>/dev/null || true')).split('\n'),
  ].filter(line => line !== '');
}

/** Starts a container that answers `hello` on its port 80. @param args of docker run, with the network */
export async function serveHello(host: SystemdHost, name: string, ...args: string[]): Promise<void> {
  const page = 'echo hello > /var/www/index.html; exec httpd -f -p 80 -h /var/www';
  await host.docker('run', '-d', '--name', name, ...args, 'busybox', 'sh', '-c', page);
}

/** Waits until HTTP on an address of the host's view answers `hello`. @param at `127.0.0.1:8080`, `[::1]:80` */
export async function hears(host: SystemdHost, at: string): Promise<void> {
  const [, address = '', port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(at) ?? [];
  const ask = `exec 3<>/dev/tcp/${address}/${port}; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; timeout 2 cat <&3`;
  await waitFor(
    async () =>
      String((await host.exec('bash', ['-c', ask], { reject: false, timeout: 5000 })).stdout).includes(
        'hello',
      ),
    { what: () => `${at} to answer` },
  );
}

/** One entry of the journal, as journalctl's JSON has it. */
export interface Entry {
  readonly MESSAGE: string;
  readonly PRIORITY: string;
  readonly UNIT?: string;
  readonly __MONOTONIC_TIMESTAMP: string;
}

/** Entries of the journal of this boot. @param args of journalctl that choose them */
export async function entries(host: SystemdHost, ...args: string[]): Promise<Entry[]> {
  const text = await host.journal('-o', 'json', ...args);
  return text
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line) as Entry);
}
