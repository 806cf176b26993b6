import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hierarchies, joinOwnCgroups, makeCgroups } from './cgroups.ts';
import { holderMark, REPOSITORY } from './paths.ts';
import { children, hasOwnNet, runs, signal } from './proc.ts';
import { waitFor } from './wait.ts';

/** What a node's namespaces are made from. */
export interface HolderSpec {
  /** The lab's name, unique on the machine. */
  lab: string;
  /** The node's name: its host name and that of its cgroups. */
  name: string;
  /** The node's directory. */
  dir: string;
  disk: 'tmpfs' | 'dir';
  /** Directory of an engine's programs, '' for the machine's own. */
  engineDir: string;
  /** Whether the node runs containers, that is: has cgroups of its own. */
  containers: boolean;
  /** Whether the node outlives the process that starts it. */
  detached: boolean;
  /** Files and directories of the machine that the node sees, too, at the same path. */
  binds: readonly string[];
}

/** The two processes that a node hangs on; the death of either ends every process of the node. */
export interface Holder {
  /** Process 1 of the node's pid namespace, by its number on the machine. */
  pid: number;
  /** Its parent, which stays outside. */
  launcher: number;
}

const INIT = join(import.meta.dirname, 'node-init.sh');

// Joins the node's cgroups, then becomes `unshare` without a fork, so that its pid is known. A creator that
// dies takes the launcher along (pdeathsig), the launcher takes process 1 along (--kill-child).
const LAUNCH = `
for procs in $LAB_PROCS; do echo $$ > "$procs"; done
[ -n "$LAB_DETACHED" ] || death='setpriv --pdeathsig KILL'
[ -z "$LAB_CGROUPS" ] || cgroup=--cgroup
exec \${death:-} unshare \${cgroup:-} --net --mount --uts --ipc --pid --fork --kill-child=SIGKILL \\
  --propagation private bash "$@"
`;

/**
 * Starts a node: its namespaces, its file system and process 1. Returns when all is mounted.
 *
 * @throws Error with the boot's own words when it fails
 */
export async function startHolder(spec: HolderSpec): Promise<Holder> {
  const mounts = spec.containers ? hierarchies() : [];
  const procs = spec.containers ? await makeCgroups(spec.lab, spec.name) : [];
  const logFile = join(spec.dir, 'boot.log');
  const log = openSync(logFile, 'a');
  // not execa: a detached lab's output must go to a file of its own
  const child = spawn('bash', ['-ec', LAUNCH, 'bash', INIT, spec.name, holderMark(spec.lab)], {
    detached: true,
    stdio: ['ignore', 'pipe', log],
    env: {
      ...process.env,
      LAB_DIR: spec.dir,
      LAB_DISK: spec.disk,
      LAB_ENGINE: spec.engineDir,
      LAB_REPO: REPOSITORY,
      LAB_BINDS: spec.binds.join('\n'),
      LAB_CGROUPS: mounts.map(({ dir, type, options }) => `${dir} ${type} ${options}`).join('\n'),
      LAB_PROCS: procs.join(' '),
      LAB_DETACHED: spec.detached ? '1' : '',
    },
  });
  closeSync(log);
  child.unref();
  let ended = false;
  const exited = once(child, 'exit').then(() => {
    ended = true;
  });
  const launcher = child.pid;
  if (launcher === undefined)
    throw new Error(`lab: cannot start ${spec.name}`, { cause: await exited.catch(String) });
  let said = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk;
  });
  await waitFor(() => said.includes('ready') || ended, {
    timeout: 60_000,
    what: `${spec.name} to boot, see ${logFile}`,
  });
  if (ended) throw new Error(`lab: ${spec.name} did not boot:\n${readFileSync(logFile, 'utf8')}`);
  child.stdout?.destroy();
  const [pid] = children(launcher);
  if (pid === undefined || !hasOwnNet(pid)) {
    signal(launcher, 'SIGKILL');
    throw new Error(`lab: ${spec.name} has no network namespace of its own`);
  }
  if (spec.containers) await joinOwnCgroups([launcher, pid]);
  return { pid, launcher };
}

/** Ends a node as a power failure does: nothing of it runs any more when this returns. */
export async function killHolder({ pid, launcher }: Holder): Promise<void> {
  signal(pid, 'SIGKILL');
  signal(launcher, 'SIGKILL');
  await waitFor(() => !runs(pid) && !runs(launcher), { what: `process ${pid} of the lab to die` });
}
