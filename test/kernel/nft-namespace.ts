import { writeFileSync } from 'node:fs';
import { execa } from 'execa';
import { NetworkNamespace } from '../../src/kernel/netns.ts';
import { testNamespace } from './namespace.ts';

/** A test namespace that this thread can enter, to open sockets and library contexts inside. */
export interface NftNamespace extends AsyncDisposable {
  readonly path: string;
  /** Synchronous work of this thread inside. */
  run<T>(action: () => T): T;
  /** Runs a program inside and answers its standard output. */
  exec(program: string, ...args: string[]): Promise<string>;
  /** The same with a text for its standard input. */
  feed(input: string, program: string, ...args: string[]): Promise<string>;
  /** Commands of `ip -batch`. */
  batch(...commands: string[]): Promise<void>;
  /** @param path below /proc/sys/net */
  sysctl(path: string, value: string): void;
  /** Whether one echo request is answered within half a second. */
  reaches(address: string): Promise<boolean>;
}

export async function nftNamespace(): Promise<NftNamespace> {
  const holder = await testNamespace();
  const entered = NetworkNamespace.open(holder.path);
  const inside = (program: string, args: string[]) => [`--net=${holder.path}`, program, ...args];
  const feed = async (input: string, program: string, ...args: string[]) =>
    (await execa('nsenter', inside(program, args), { input })).stdout;
  return {
    path: holder.path,
    run: action => entered.run(action),
    exec: async (program, ...args) => (await execa('nsenter', inside(program, args))).stdout,
    feed,
    batch: async (...commands) => void (await feed(commands.join('\n'), 'ip', '-batch', '-')),
    sysctl: (path, value) => entered.run(() => writeFileSync(`/proc/sys/net/${path}`, value)),
    reaches: async address => {
      const args = inside('ping', ['-n', '-c1', '-W0.5', address]);
      return (await execa('nsenter', args, { reject: false })).exitCode === 0;
    },
    async [Symbol.asyncDispose]() {
      entered.close();
      await holder[Symbol.asyncDispose]();
    },
  };
}
