import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Generation } from './engines.ts';
import type { AddressPlan } from './net.ts';
import { stat } from './proc.ts';

/** A process that is told from a later one with the same number. */
export interface ProcessId {
  pid: number;
  /** Clock ticks from the machine's boot to the process's start. */
  startTime: number;
}

/** What is asked for one host. */
export interface HostOptions {
  /** Default `20.10`, the machine's own. */
  engine?: Generation;
  /** More arguments for every start of dockerd. */
  dockerdArgs?: readonly string[];
  /** The engine's daemon.json. */
  daemonJson?: Record<string, unknown>;
  /** Whether dockerd is started with the host. Default true. */
  autostart?: boolean;
}

/** All that another process must know of a lab to use or to remove it. Kept in the lab's directory. */
export interface LabState {
  creator: ProcessId;
  /** The process that removes the lab when its creator dies; a detached lab has none. */
  guard?: ProcessId;
  detached: boolean;
  disk: 'tmpfs' | 'dir';
  nics: number;
  plan: AddressPlan;
  binds: readonly string[];
  hosts: readonly HostOptions[];
}

/** The identity of a running process. @throws Error when there is none with that number */
export function identify(pid: number): ProcessId {
  const startTime = stat(pid)?.startTime;
  if (startTime === undefined) throw new Error(`lab: process ${pid} is gone`);
  return { pid, startTime };
}

/** True while that very process runs. */
export function isAlive({ pid, startTime }: ProcessId): boolean {
  const now = stat(pid);
  return now?.startTime === startTime && now.state !== 'Z';
}

/** The state of the lab in a directory; undefined when it has none, or is just being made. */
export function readState(dir: string): LabState | undefined {
  try {
    return JSON.parse(readFileSync(join(dir, 'lab.json'), 'utf8')) as LabState;
  } catch {
    return undefined;
  }
}

/** Writes a lab's state so that a reader sees all of it or nothing. */
export async function writeState(dir: string, state: LabState): Promise<void> {
  const file = join(dir, 'lab.json');
  await writeFile(`${file}.new`, JSON.stringify(state, null, 2));
  await rename(`${file}.new`, file);
}
