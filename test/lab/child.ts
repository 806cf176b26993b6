import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { children, runs, signal } from './proc.ts';
import { waitFor } from './wait.ts';

/** How a process ended: exactly one of the two is set. */
export interface Exit {
  code: number | undefined;
  signal: NodeJS.Signals | undefined;
}

/** A long-lived process in a node. */
export interface Child {
  /** Its number on the machine, not in the node; of no use when it has ended at once. */
  readonly pid: number;
  /** The file that its standard output and error go to. */
  readonly log: string;
  /** True until it has ended. */
  readonly running: boolean;
  /** Settles when it has ended, never rejects. */
  readonly exited: Promise<Exit>;
  /** All it has written so far (and what its predecessors wrote to the same log). */
  output(): string;
  /** Waits until the output matches. @throws Error with the output when it ends or `timeout` (ms) passes first */
  waitForOutput(pattern: RegExp | string, timeout?: number): Promise<void>;
  /** Sends the signal (default SIGTERM) and waits for the end. @throws Error after `timeout` ms, default 15 000 */
  stop(name?: NodeJS.Signals, timeout?: number): Promise<Exit>;
}

/** What `startChild` starts: a command line that ends in `nsenter` forking the program once. */
export interface ChildSpec {
  file: string;
  args: readonly string[];
  env: Record<string, string>;
  log: string;
}

/**
 * Starts a program through `nsenter`, which stays as its parent and hands its end on. Signals must go to the
 * program itself: nsenter passes none on.
 */
export async function startChild({ file, args, env, log }: ChildSpec): Promise<Child> {
  const fd = openSync(log, 'a');
  // not execa: what may outlive this process needs a file of its own as its output, not a pipe to here
  const child = spawn(file, args, { detached: true, env, stdio: ['ignore', fd, fd] });
  closeSync(fd);
  child.unref();
  let ended = false;
  const exited = once(child, 'exit').then(([code, name]): Exit => {
    ended = true;
    return { code: code ?? undefined, signal: name ?? undefined };
  });
  const output = () => readFileSync(log, 'utf8');
  const parent = child.pid;
  if (parent === undefined)
    throw new Error(`lab: cannot start ${file}`, { cause: await exited.catch(String) });
  const pid = await waitFor(() => children(parent)[0] ?? (ended ? parent : undefined), {
    what: `${args.join(' ')} to start`,
  });
  return {
    pid,
    log,
    get running() {
      return !ended;
    },
    get exited() {
      child.ref(); // whoever waits for the end must live to see it
      return exited;
    },
    output,
    async waitForOutput(pattern, timeout = 15_000) {
      const matches = () =>
        typeof pattern === 'string' ? output().includes(pattern) : pattern.test(output());
      await waitFor(() => matches() || ended, { timeout, what: () => `${pattern} in:\n${output()}` });
      if (!matches()) throw new Error(`lab: ended before it wrote ${pattern}:\n${output()}`);
    },
    async stop(name = 'SIGTERM', timeout = 15_000) {
      if (!ended && runs(pid)) signal(pid, name);
      await waitFor(() => ended, {
        timeout,
        what: () => `process ${pid} to end after ${name}:\n${output()}`,
      });
      return exited;
    },
  };
}
