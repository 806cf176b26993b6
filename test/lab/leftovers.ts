import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { execa } from 'execa';
import { labCgroups } from './cgroups.ts';
import { labsDir, runMark } from './paths.ts';
import { allPids, argv, comm, environ, namespaceOf, runs, stat } from './proc.ts';

/** What the machine has that tests could leave behind: for each kind, one readable string a thing. */
export type Snapshot = Record<string, string[]>;

/** Programs that tests start; one of them more than before is a leftover, whoever its parent is. */
const PROGRAMS = /^(dockerd|containerd.*|docker-proxy|runc.*|tsnet.*|busybox|unshare|nsenter|tcpdump)$/;

/** Where programs that escaped from a lab would write on the machine itself. */
const PATHS = [
  ...['/run/docker', '/run/docker.sock', '/run/docker.pid', '/run/containerd', '/run/tsnet'],
  ...['/var/lib/docker', '/var/lib/containerd', '/var/lib/tsnet', '/etc/docker', '/usr/lib/docker'],
];

/** Settings of the machine's network that a Docker Engine or a network driver changes. */
const SYSCTLS = ['net/ipv4/ip_forward', 'net/ipv6/conf/all/forwarding', 'net/ipv4/conf/all/rp_filter'];

/** Records the state of the machine. Reads only. */
export async function snapshot(): Promise<Snapshot> {
  const [links, addresses, routes, rules, tables] = await Promise.all([
    lines('ip', ['-o', 'link', 'show']),
    lines('ip', ['-o', 'address', 'show']),
    // cached exceptions (learned packet sizes) come and go by themselves
    lines('ip', ['-o', '-d', 'route', 'show', 'table', 'all']),
    lines('ip', ['rule', 'show']),
    lines('nft', ['list', 'tables']),
  ]);
  return {
    link: links.map(line => line.split(/:\s+/)[1]?.split('@')[0] ?? line),
    address: addresses.map(line => line.split(/\s+/).slice(1, 4).join(' ')),
    route: routes.map(line => line.replace(/\s+(expires|metric) \S+/g, '').trim()),
    rule: rules,
    'nft table': tables,
    'network namespace': entries('/run/netns').concat(entries('/var/run/docker/netns')),
    mount: readFileSync('/proc/self/mountinfo', 'utf8')
      .trimEnd()
      .split('\n')
      .map(line => line.split(' ')[4] ?? ''),
    cgroup: await labCgroups(),
    file: [
      ...PATHS.filter(path => existsSync(path)),
      ...entries(labsDir())
        .filter(name => name.startsWith('tsnet'))
        .map(name => `${labsDir()}/${name}`),
    ],
    sysctl: SYSCTLS.filter(name => existsSync(`/proc/sys/${name}`)).map(
      name => `${name} = ${readFileSync(`/proc/sys/${name}`, 'utf8').trim()}`,
    ),
    process: processes(),
  };
}

/**
 * What is there after the tests and was not before, and the other way round for what belongs to the machine.
 *
 * What bears the mark of another test run never counts. With TSNET_SHARED_MACHINE set, processes, cgroups and
 * files count only when they bear this run's mark: somebody may be using engines or labs by hand meanwhile.
 */
export function compare(before: Snapshot, after: Snapshot): string[] {
  const found: string[] = [];
  for (const kind of Object.keys(after)) {
    const had = new Set(before[kind]);
    const has = new Set(after[kind]);
    for (const thing of has) {
      if (!had.has(thing) && counts(kind, thing)) found.push(`left behind: ${kind} ${thing}`);
    }
    // tests may remove what an earlier run has left, but nothing of the machine's network
    if (MARKED.has(kind)) continue;
    for (const thing of had) if (!has.has(thing)) found.push(`gone: ${kind} ${thing}`);
  }
  return found;
}

/** The kinds of things that can bear a run's mark. */
const MARKED = new Set(['process', 'cgroup', 'file']);

/** The mark of a whole run, as global-setup.ts makes it, in a lab's name or a process line. */
const RUN = /(?:tsnet-lab-|\(test run )([0-9a-f]{8}-)/;

function counts(kind: string, thing: string): boolean {
  if (!MARKED.has(kind)) return true;
  const mark = RUN.exec(thing)?.[1];
  if (mark === undefined) return process.env['TSNET_SHARED_MACHINE'] === undefined;
  return runMark() === '' || runMark().startsWith(mark);
}

/**
 * Processes that a test run has started and that outlived its workers, and those that run one of the programs
 * beside us. What runs in a lab's namespace does not count: it is the lab that is left then.
 */
function processes(): string[] {
  const found: string[] = [];
  const here = namespaceOf('self', 'pid');
  for (const pid of allPids()) {
    // the test runner's own workers end after this look
    if (!runs(pid) || pid === process.pid || stat(pid)?.parent === process.pid) continue;
    const command = argv(pid).join(' ').slice(0, 200);
    const mark = environ(pid)
      .find(entry => entry.startsWith('TSNET_TEST_RUN='))
      ?.replace('TSNET_TEST_RUN=', '');
    const beside = PROGRAMS.test(comm(pid)) && namespaceOf(pid, 'pid') === here;
    if (command === '' || !(mark || beside)) continue;
    found.push(mark ? `${pid} ${command} (test run ${mark})` : `${pid} ${command}`);
  }
  return found;
}

function entries(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

/** The lines that a program writes; none where it is not installed, so that tests cannot have used it. */
async function lines(file: string, args: string[]): Promise<string[]> {
  const { stdout, code, failed, message } = await execa(file, args, { reject: false });
  if (failed && code !== 'ENOENT') throw new Error(message);
  return stdout.split('\n').filter(line => line !== '');
}
