import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { removeCgroups } from './cgroups.ts';
import { holderMark, labName, labsDir, PREFIX } from './paths.ts';
import { allPids, argv, runs, signal } from './proc.ts';
import { isAlive, type LabState, readState } from './state.ts';
import { waitFor } from './wait.ts';

/**
 * Removes a lab without a trace, whatever state it is in: its processes (and with them namespaces, mounts,
 * links and rules), its cgroups, its directory. May run twice, even at once.
 *
 * @param dir the lab's directory
 * @throws Error that names what would not go
 */
export async function removeLab(dir: string): Promise<void> {
  const lab = labName(dir);
  if (!lab.startsWith(PREFIX)) throw new Error(`lab: ${dir} is not a lab's directory`);
  const mark = holderMark(lab);
  // once more after the first round: a boot may have been under way
  await waitFor(
    () => {
      const holders = allPids().filter(pid => runs(pid) && argv(pid).includes(mark));
      for (const pid of holders) signal(pid, 'SIGKILL');
      return holders.length === 0;
    },
    { what: `the processes of ${lab} to die` },
  );
  await removeCgroups(lab);
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  const inside = mounts.filter(line => line.split(' ')[4]?.startsWith(`${dir}/`));
  // the directory may be a window to something that is not the lab's to delete
  if (inside.length > 0) throw new Error(`lab: something is mounted below ${dir}, it is left there`);
  await execa('rm', ['-rf', '--one-file-system', '--', dir]);
}

/** The labs on this machine, alive or abandoned. */
export function findLabs(): { dir: string; state: LabState | undefined }[] {
  return readdirSync(labsDir())
    .filter(name => name.startsWith(PREFIX))
    .map(name => join(labsDir(), name))
    .map(dir => ({ dir, state: readState(dir) }));
}

/** Removes labs whose creator is dead and whose guard did not do it, being dead itself. */
export async function sweep(): Promise<void> {
  for (const { dir, state } of findLabs()) {
    if (state === undefined || state.detached) continue;
    if (isAlive(state.creator) || (state.guard !== undefined && isAlive(state.guard))) continue;
    await removeLab(dir);
  }
}
