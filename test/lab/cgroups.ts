import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { waitFor } from './wait.ts';

/** One cgroup hierarchy that the machine has mounted. */
export interface Hierarchy {
  /** Where the machine has mounted it. */
  mountPoint: string;
  /** Name of its directory below /sys/fs/cgroup in a node; `.` for the only one of a cgroup2 machine. */
  dir: string;
  type: 'cgroup' | 'cgroup2';
  /** Mount options that give the same hierarchy again. */
  options: string;
}

const CONTROLLERS = new Set([
  ...['cpu', 'cpuacct', 'cpuset', 'memory', 'devices', 'freezer', 'blkio', 'pids'],
  ...['net_cls', 'net_prio', 'perf_event', 'hugetlb', 'rdma', 'misc'],
]);

/**
 * The hierarchies that a Docker host needs, as this machine has them: version 1's, or the one of version 2
 * where that has the controllers (systemd's default). None where no cgroups are mounted.
 */
export function hierarchies(): Hierarchy[] {
  const found: Hierarchy[] = [];
  let unified: Hierarchy | undefined;
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').trimEnd().split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const mountPoint = before.split(' ')[4] ?? '';
    const [type = '', , options = ''] = after.split(' ');
    if (type === 'cgroup2') unified ??= { mountPoint, dir: '.', type, options: 'rw' };
    if (type !== 'cgroup') continue;
    const kept = options.split(',').filter(name => CONTROLLERS.has(name));
    if (options.split(',').includes('name=systemd')) kept.push('none', 'name=systemd');
    if (kept.length > 0) found.push({ mountPoint, dir: basename(mountPoint), type, options: kept.join(',') });
  }
  // beside version 1's controllers, version 2 is there for systemd's bookkeeping only
  const versionOne = found.some(({ options }) => options.split(',').includes('devices'));
  if (versionOne) return found;
  return unified === undefined ? [] : [unified];
}

/**
 * Makes a node's cgroups, `LAB/NODE` in each hierarchy, and returns their `cgroup.procs` files: the process
 * that then unshares its cgroup namespace writes itself into each, which makes them the node's root.
 *
 * @throws Error when the machine has no cgroups
 */
export async function makeCgroups(lab: string, node: string): Promise<string[]> {
  const procs: string[] = [];
  const all = hierarchies();
  if (all.length === 0) throw new Error('lab: this machine has no cgroups mounted, Docker needs them');
  for (const { mountPoint, type } of all) {
    const labDir = join(mountPoint, lab);
    const nodeDir = join(labDir, node);
    // What a crashed engine has set up in it stays otherwise, and version 2 takes no process into such a cgroup.
    await waitFor(() => removeTree(nodeDir), { what: `cgroup ${nodeDir} to become empty` });
    await mkdir(labDir, { recursive: true });
    if (type === 'cgroup2') {
      await handDown(mountPoint);
      await handDown(labDir);
      await mkdir(nodeDir, { recursive: true });
    } else {
      await fillCpuset(mountPoint, labDir);
      await mkdir(nodeDir, { recursive: true });
      await fillCpuset(labDir, nodeDir);
    }
    procs.push(join(nodeDir, 'cgroup.procs'));
  }
  return procs;
}

/** Version 2: children have only the controllers that their parent enables for them. */
async function handDown(dir: string): Promise<void> {
  const controllers = (await readFile(join(dir, 'cgroup.controllers'), 'utf8')).trim().split(' ');
  const enabled = (await readFile(join(dir, 'cgroup.subtree_control'), 'utf8')).trim().split(' ');
  for (const name of controllers) {
    if (name === '' || enabled.includes(name)) continue;
    // some (cpu with realtime processes about, for one) may be refused; Docker then does without
    await writeFile(join(dir, 'cgroup.subtree_control'), `+${name}`).catch(() => undefined);
  }
}

/** Version 1: a cpuset takes no process before it has its processors and memory nodes. */
async function fillCpuset(parent: string, child: string): Promise<void> {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    if (!existsSync(join(parent, file))) return;
    await writeFile(join(child, file), await readFile(join(parent, file)));
  }
  await writeFile(join(child, 'cgroup.clone_children'), '1');
}

/**
 * Puts processes back into this process's own cgroups. Their cgroup namespace keeps its root; but whoever
 * tracks the creator by its cgroup (a CI runner, a session manager) goes on seeing, and ending, the lab.
 */
export async function joinOwnCgroups(pids: readonly number[]): Promise<void> {
  const own = new Map<string, string>();
  for (const line of readFileSync('/proc/self/cgroup', 'utf8').trimEnd().split('\n')) {
    const [id = '', names = '', path = ''] = line.split(':');
    own.set(id === '0' ? '.' : names, path);
  }
  for (const { mountPoint, dir, options } of hierarchies()) {
    const names = dir === '.' ? '.' : options.replace('none,', '');
    const procs = join(mountPoint, own.get(names) ?? '', 'cgroup.procs');
    for (const pid of pids) await writeFile(procs, String(pid)).catch(() => undefined);
  }
}

/** The directories that a lab has in the cgroup hierarchies; with no name, those of all labs. */
export async function labCgroups(lab?: string): Promise<string[]> {
  const dirs: string[] = [];
  for (const { mountPoint } of hierarchies()) {
    for (const name of await readdir(mountPoint)) {
      if (lab === undefined ? name.startsWith('tsnet-lab-') : name === lab) dirs.push(join(mountPoint, name));
    }
  }
  return dirs;
}

/** Removes a lab's cgroups, once the last of its processes has left them. */
export async function removeCgroups(lab: string): Promise<void> {
  for (const dir of await labCgroups(lab)) {
    await waitFor(() => removeTree(dir), { what: `cgroup ${dir} to become empty` });
  }
}

/** One attempt, leaves first; false while a process (or its corpse) is still counted in one of them. */
async function removeTree(dir: string): Promise<boolean> {
  try {
    for (const entry of await readdir(dir, { withFileTypes: true })) {
      if (entry.isDirectory() && !(await removeTree(join(dir, entry.name)))) return false;
    }
    await rmdir(dir);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return true;
    if (code === 'EBUSY') return false;
    throw error;
  }
}
