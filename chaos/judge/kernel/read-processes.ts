import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import type { ProcessView } from './types.ts';

/** Programs that enter other namespaces, and might forget to let go of them. */
const HOLDERS = /^(tsnet|dockerd)/;

/**
 * The processes of a host, and of its containers, by their numbers on the host.
 * @param host number on the machine of the host's process 1
 */
export function readProcesses(host: number): ProcessView[] {
  const base = `/proc/${host}/root/proc`;
  return numbers(base).flatMap(pid => readProcess(base, pid) ?? []);
}

function readProcess(base: string, pid: number): ProcessView | undefined {
  const dir = `${base}/${pid}`;
  try {
    const { name, state, parent } = readStat(`${dir}/stat`);
    const argv = readFileSync(`${dir}/cmdline`, 'utf8').split('\0').slice(0, -1);
    return {
      pid,
      name,
      argv,
      state,
      parent: parent > 0 ? readStat(`${base}/${parent}/stat`).name : '',
      namespace: state === 'Z' ? '' : readlinkSync(`${dir}/ns/net`),
      held: HOLDERS.test(name) && state !== 'Z' ? heldBy(`${dir}/fd`) : [],
    };
  } catch {
    return undefined; // It has ended meanwhile.
  }
}

/** Of what is opened by a path, such as below /run/docker/netns, the kernel names the path instead. */
function heldBy(dir: string): string[] {
  return readdirSync(dir).flatMap(fd => {
    try {
      const target = readlinkSync(`${dir}/${fd}`);
      if (target.startsWith('net:[')) return [target];
      const { dev, ino } = statSync(`${dir}/${fd}`);
      return target.includes('/netns/') && dev === NAMESPACES ? [`net:[${ino}]`] : [];
    } catch {
      return [];
    }
  });
}

/** The file system that the kernel has namespaces in. */
const NAMESPACES = statSync('/proc/self/ns/net').dev;

function readStat(path: string): { name: string; state: string; parent: number } {
  const text = readFileSync(path, 'utf8');
  // The name may hold anything, so count from its end.
  const end = text.lastIndexOf(')');
  const [state = '', parent = '0'] = text.slice(end + 2).split(' ');
  return { name: text.slice(text.indexOf('(') + 1, end), state, parent: Number(parent) };
}

const numbers = (dir: string): number[] =>
  readdirSync(dir)
    .filter(name => /^\d+$/.test(name))
    .map(Number);
