import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { PortHold } from '../../../src/host-state/types.ts';
import type { HoldRequest } from '../../../src/kernel/kernel.ts';
import { NetworkNamespace } from '../../../src/kernel/netns.ts';
import { PortHolds, type PortHoldsOptions } from '../../../src/kernel/ports/port-holds.ts';
import { type TestNamespace, testNamespace } from '../namespace.ts';

/** A network namespace with its own PortHolds, and processes that take ports of it. */
export interface PortHost extends AsyncDisposable {
  readonly ns: TestNamespace;
  readonly holds: PortHolds;
  hold(request: HoldRequest): readonly PortHold[];
  add(hold: PortHold): void;
  /** Runs something synchronous inside. */
  run<T>(action: () => T): T;
  /**
   * A Node.js process inside that runs a script of one expression statement or more, and prints `ready` when it has the
   * port; it ends with the namespace.
   */
  process(script: string, ...args: string[]): Promise<PortProcess>;
}

export interface PortProcess {
  readonly pid: number;
  end(): Promise<void>;
}

export async function portHost(options: PortHoldsOptions = {}): Promise<PortHost> {
  const ns = await testNamespace();
  const space = NetworkNamespace.open(ns.path);
  const holds = new PortHolds(options);
  const children: ChildProcess[] = [];
  return {
    ns,
    holds,
    hold: request => space.run(() => holds.hold(request)),
    add: hold => space.run(() => holds.add(hold)),
    run: action => space.run(action),
    async process(script, ...args) {
      const ready = "const ready = () => console.log('ready');";
      const command = [`--net=${ns.path}`, process.execPath, '-e', `${ready}${script}`, '--', ...args];
      const child = spawn('nsenter', command, { stdio: ['ignore', 'pipe', 'inherit'] });
      children.push(child);
      await Promise.race([
        once(child.stdout, 'data'),
        once(child, 'exit').then(() => Promise.reject(new Error(`ended before it was ready: ${script}`))),
      ]);
      return { pid: child.pid ?? 0, end: () => end(child) };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(children.map(end));
      await holds.close();
      space.close();
      await ns[Symbol.asyncDispose]();
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** The TsnetError that an action throws, as code and what: both are promised. */
export function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return `${(error as { code: string }).code}: ${(error as { what: string }).what}`;
  }
  throw new Error('nothing was refused');
}
