import { join } from 'node:path';
import { execa } from 'execa';

/** The process that removes a lab when its creator has died. */
export interface Guard {
  pid: number;
  /** Ends the guard's input, for which it waits. */
  dismiss: () => void;
  /** Settles when the guard has ended, never rejects. */
  ended: Promise<unknown>;
}

/**
 * Starts the guard of a lab that is yet to be made in `dir`: from now on, the end of this process is the end of
 * the lab, see guard.ts.
 */
export function startGuard(dir: string): Guard {
  const child = execa(process.execPath, [join(import.meta.dirname, 'guard.ts'), dir], {
    detached: true,
    cleanup: false,
    reject: false,
    buffer: false,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  child.nodeChildProcess.unref();
  if (child.pid === undefined) throw new Error('lab: the guard cannot be started');
  return {
    pid: child.pid,
    dismiss: () => {
      child.nodeChildProcess.ref();
      child.stdin.end();
    },
    ended: child.catch(() => undefined),
  };
}

/** Lets the guard of a lab go, which cleans up first if anything is left. */
export async function endGuard(guard: Guard): Promise<void> {
  guard.dismiss();
  await guard.ended;
}
