import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { execa } from 'execa';

/** What the tests look at of an object that `ip -j` prints, by property. */
export interface IpObject {
  readonly flags?: readonly string[];
  readonly addr_info?: readonly unknown[];
  readonly [property: string]: unknown;
}

/** A network namespace for one test, apart from the machine's own. */
export interface TestNamespace extends AsyncDisposable {
  readonly path: string;
  /** Runs `ip ARGS` inside. */
  ip(...args: string[]): Promise<string>;
  /** Runs `ip -j -d ARGS` inside: the oracle that results are compared with. */
  json(...args: string[]): Promise<IpObject[]>;
  /** Runs a shell script inside. */
  sh(script: string): Promise<string>;
}

/**
 * Makes a namespace that lives as long as a process which waits for the end of its input: it goes with the test process,
 * however that ends, and leaves nothing behind.
 */
export async function testNamespace(): Promise<TestNamespace> {
  const holder = spawn('unshare', ['--net', 'sh', '-c', 'ip link set lo up && echo ready && exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(holder, 'exit');
  await Promise.race([
    once(holder.stdout, 'data'),
    exited.then(() => Promise.reject(new Error('unshare failed: these tests need root'))),
  ]);
  const path = `/proc/${holder.pid}/ns/net`;
  const run = async (...command: string[]) => (await execa('nsenter', [`--net=${path}`, ...command])).stdout;
  return {
    path,
    ip: (...args) => run('ip', ...args),
    json: async (...args) => JSON.parse((await run('ip', '-j', '-d', ...args)) || '[]'),
    sh: script => run('sh', '-ec', script),
    async [Symbol.asyncDispose]() {
      holder.stdin.end();
      await exited;
    },
  };
}
