import { readFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import koffi from 'koffi';

const libc = koffi.load(null);
const call = {
  setAffinity: libc.func('int sched_setaffinity(int thread, size_t length, const void *mask)'),
  setScheduler: libc.func('int sched_setscheduler(int thread, int policy, const void *priority)'),
};

/** Numbers of the cores that this process may run on, ascending: a container may have been lent any of a machine's. */
function allowed(): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  return list.split(',').flatMap(part => {
    const [from = 0, to = from] = part.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, k) => from + k);
  });
}

const CORES = allowed();
/** Place among the allowed cores of every server. */
export const SERVER_CORE = 0;

/**
 * Puts the calling thread on a core: left to itself the scheduler has client and server on one core in this run and on
 * two in the next, and waking the other core costs more than all else that is measured.
 *
 * @param at which of the allowed ones; the last one where there are fewer
 */
export function runOn(at: number): void {
  const core = CORES[Math.min(at, CORES.length - 1)] ?? 0;
  const mask = Buffer.alloc(128);
  mask[core >> 3] = 1 << (core & 7);
  if (call.setAffinity(0, mask.length, mask) < 0) throw new Error(`cannot run on core ${core}`);
}

/** Lets this process go before whatever else the machine does. */
export const goFirst = (): void => setPriority(-20);

const [SCHED_NORMAL, SCHED_BATCH] = [0, 3];

/**
 * Whether the calling thread goes on until it has to wait when another of its like is woken on its core, as is best
 * where client and server take turns there: whether the server comes in between is chance otherwise. Or whether
 * who is woken gets the core at once, as a stream over two cores needs it.
 */
export function takeTurns(turns: boolean): void {
  if (call.setScheduler(0, turns ? SCHED_BATCH : SCHED_NORMAL, Buffer.alloc(4)) < 0) {
    throw new Error('cannot choose how it is scheduled');
  }
}
