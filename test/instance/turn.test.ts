import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TestNamespace, testNamespace } from '../kernel/namespace.ts';
import { waitFor } from '../lab/wait.ts';

const CHILD = join(import.meta.dirname, 'turn-child.ts');
const [A, B] = ['a'.repeat(64), 'b'.repeat(64)];

/** One of several tsnets of a network namespace. */
class Instance {
  readonly #process: ChildProcess;
  #said = '';

  constructor(namespace: TestNamespace, kind: 'plugin' | 'daemon', id: string) {
    this.#process = spawn('nsenter', [`--net=${namespace.path}`, process.execPath, CHILD, kind, id], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text;
    });
  }

  get said(): string {
    return this.#said;
  }

  async says(words: string, timeout = 10_000): Promise<void> {
    await waitFor(() => this.#said.includes(words), { timeout, what: () => `"${words}" in:\n${this.#said}` });
  }

  /** Has it try once more. */
  ask(): void {
    this.#process.kill('SIGUSR1');
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill(signal);
    await exited;
  }
}

describe('the place for a tsnet in a network namespace', () => {
  let namespace: TestNamespace;
  const instances: Instance[] = [];
  const start = (kind: 'plugin' | 'daemon', id: string, where = namespace) => {
    const instance = new Instance(where, kind, id);
    instances.push(instance);
    return instance;
  };
  beforeEach(async () => {
    namespace = await testNamespace();
  });
  afterEach(async () => {
    await Promise.all(instances.splice(0).map(instance => instance.end('SIGKILL')));
    await namespace[Symbol.asyncDispose]();
  });

  it('is one: a second is refused in words that say who has it', async () => {
    const first = start('daemon', '4711');
    await first.says('taken');
    const second = start('plugin', B);
    await second.says('INSTANCE_RUNNING: the daemon with process id 4711 (tsnet 1.2.3) serves this host.');
    const third = start('plugin', A);
    await third.says('INSTANCE_RUNNING: the daemon with process id 4711');
    expect(second.said + third.said).not.toContain('taken');
  });

  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'goes to one that waits, some time after its holder has ended by %s',
    async signal => {
      const first = start('plugin', A);
      await first.says('taken');
      const second = start('plugin', B);
      await second.says('the managed plugin aaaaaaaaaaaa (tsnet 1.2.3) serves this host');
      await first.end(signal);
      // a service manager may just be starting it again
      second.ask();
      await second.says('the managed plugin aaaaaaaaaaaa (tsnet 1.2.3) has only just ended');
      await second.says(`may follow ${A}?\ntaken`);
    },
  );

  it('stays with one that is started again soon', async () => {
    await start('daemon', '1').says('taken');
    const waiting = start('plugin', B);
    await waiting.says('INSTANCE_RUNNING');
    await instances[0]?.end('SIGKILL');
    const again = start('daemon', '2');
    await again.says('taken');
    await waiting.says('process id 2 (tsnet 1.2.3) serves this host');
    expect(waiting.said).not.toContain('taken');
  });

  it('is waited for by the next process of the same plugin, which has it at once then', async () => {
    const first = start('plugin', A);
    await first.says('taken');
    const next = start('plugin', A);
    await next.says('asking');
    next.ask();
    await first.end();
    await next.says('taken', 2000);
    expect(next.said).not.toContain('INSTANCE_RUNNING');
    expect(next.said).not.toContain('may follow');
  });

  it('is free as soon as its holder is dead', async () => {
    for (let round = 0; round < 5; round++) {
      const instance = start('daemon', String(round));
      await instance.says('taken');
      await instance.end('SIGKILL');
      expect(instance.said).not.toContain('INSTANCE_RUNNING');
    }
  });

  it('is another one in another network namespace', async () => {
    await using other = await testNamespace();
    await start('daemon', '1').says('taken');
    await start('daemon', '2', other).says('taken');
  });

  it('is not denied by a user without rights who binds its name', async () => {
    await using _stranger = await binder('setpriv', '--reuid', '65534', '--clear-groups');
    const instance = start('daemon', '1');
    await instance.says('taken');
    expect(instance.said).toContain('a user without rights has bound the name');
  });

  it('is not taken from a holder that says nothing', async () => {
    await using holder = await binder();
    const instance = start('plugin', A);
    await instance.says('another tsnet, which did not say who it is, serves this host.');
    await holder[Symbol.asyncDispose]();
    await instance.says('may follow undefined?\ntaken');
  });

  /** Something else that binds the name. @param by program that starts it, with arguments */
  async function binder(...by: string[]): Promise<AsyncDisposable> {
    const bind = `require('node:net').createServer(() => {}).listen('\\0tsnet/instance', () => console.log('bound'))`;
    const command = [`--net=${namespace.path}`, ...by, process.execPath, '-e', bind];
    const child = spawn('nsenter', command, { stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = once(child, 'exit');
    await once(child.stdout, 'data');
    return {
      async [Symbol.asyncDispose]() {
        child.kill('SIGKILL');
        await exited;
      },
    };
  }
});
