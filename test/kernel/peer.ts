import { spawn } from 'node:child_process';
import { once } from 'node:events';
import readline from 'node:readline';

export interface Exchange {
  readonly protocol: 'tcp' | 'udp';
  readonly from?: string;
  readonly to: string;
  readonly port: number;
}

export interface PeerPlan {
  readonly serve?: readonly {
    readonly protocol: 'tcp' | 'udp';
    readonly address: string;
    readonly port: number;
    readonly says: string;
  }[];
  readonly exchanges?: readonly Exchange[];
}

/** Servers and connections in a namespace, which stay until they are disposed of. */
export interface Peer extends AsyncDisposable {
  /** What each of the exchanges was answered at the beginning, or how it failed. */
  readonly answers: readonly string[];
  /** Asks again by the same sockets: UDP anew, of TCP the first answer. */
  again(): Promise<readonly string[]>;
}

/** @param path of the network namespace */
export async function startPeer(path: string, plan: PeerPlan): Promise<Peer> {
  const script = new URL('./peer-child.ts', import.meta.url).pathname;
  const child = spawn('nsenter', [`--net=${path}`, process.execPath, script, JSON.stringify(plan)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const lines = readline.createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async (): Promise<readonly string[]> => {
    const { value, done } = await lines.next();
    if (done) throw new Error('the peer has ended');
    return JSON.parse(value);
  };
  return {
    answers: await next(),
    again: () => {
      child.stdin.write('\n');
      return next();
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await exited;
    },
  };
}
