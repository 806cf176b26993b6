import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** The argument vector of a process, or [] when it is gone or a kernel thread. */
export function argv(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}

/** The short name of a process (`comm`), or '' when it is gone. */
export function comm(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}

/** True while the process runs; one that has ended and only waits for its parent's attention does not. */
export function runs(pid: number): boolean {
  const state = stat(pid)?.state;
  return state !== undefined && state !== 'Z' && state !== 'X';
}

/** State letter, parent and start time (clock ticks since boot) of a process; undefined when it is gone. */
export function stat(pid: number): { state: string; parent: number; startTime: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // the name in parentheses may hold anything, so count from its end
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', parent: Number(fields[1]), startTime: Number(fields[19]) };
  } catch {
    return undefined;
  }
}

/** The processes that a process's main thread has forked and that still exist. */
export function children(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return text === '' ? [] : text.split(' ').map(Number);
  } catch {
    return [];
  }
}

/** Every process of the machine. */
export function allPids(): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number);
}

/** The identity of a process's namespace, such as `net:[4026531840]`; undefined when the process is gone. */
export function namespaceOf(pid: number | 'self', kind: 'net' | 'mnt' | 'pid'): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/${kind}`);
  } catch {
    return undefined;
  }
}

/**
 * Makes sure that a process lives in a network namespace other than this one and the machine's first.
 * To be called before every command that changes links, addresses or routes "in" that process.
 */
export function hasOwnNet(pid: number): boolean {
  const theirs = namespaceOf(pid, 'net');
  return theirs !== undefined && theirs !== namespaceOf('self', 'net') && theirs !== namespaceOf(1, 'net');
}

/** Sends a signal to one process; that it is gone already is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The environment that a process was started with, as `NAME=value`; [] when it is gone or not ours to read. */
export function environ(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
