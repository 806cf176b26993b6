import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { takeActivationFd } from '../../src/protocol/activation.ts';
import { ENDPOINT, NETWORK } from './fake.ts';
import { RawConnection } from './raw.ts';

describe('the variables', () => {
  const PID = String(process.pid);
  it.each([
    ['none', {}],
    ['those of another process', { LISTEN_PID: '1', LISTEN_FDS: '1', LISTEN_FDNAMES: 'x' }],
    ['no count', { LISTEN_PID: PID }],
    ['a count of zero', { LISTEN_PID: PID, LISTEN_FDS: '0' }],
    ['a count of text', { LISTEN_PID: PID, LISTEN_FDS: 'x' }],
  ])('say nothing: %s', (_, given) => {
    const env: NodeJS.ProcessEnv = { ...given, PATH: '/bin' };
    expect(takeActivationFd(env)).toBeUndefined();
    expect(env).toEqual({ PATH: '/bin' });
  });

  it('are refused with more than one socket', () => {
    const env: NodeJS.ProcessEnv = { LISTEN_PID: PID, LISTEN_FDS: '2' };
    expect(() => takeActivationFd(env)).toThrow(/^SOCKET_PATH: systemd passed 2 sockets/);
    expect(env).toEqual({});
  });
});

describe('a daemon that systemd starts', () => {
  let folder = '';
  let daemon: ChildProcess | undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsnet-activation-'));
  });
  afterEach(() => {
    daemon?.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  /** Listens, as systemd does, and starts the command with the listening socket as fd 3 and its own pid told. */
  const startWithSocket = async (path: string, command: readonly string[]): Promise<ChildProcess> => {
    const server = createServer();
    server.listen(`${path}.new`);
    await once(server, 'listening');
    // Node removes the name it knows when it closes its own copy of the socket.
    renameSync(`${path}.new`, path);
    const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
    const child = spawn('/bin/sh', ['-c', 'LISTEN_PID=$$ exec "$@"', 'sh', ...command], {
      stdio: ['ignore', 'pipe', 'inherit', fd],
      env: { ...process.env, LISTEN_FDS: '1', LISTEN_FDNAMES: 'tsnet.socket' },
    });
    await once(child, 'spawn');
    server.close();
    return child;
  };

  it('serves on the socket that it was given, and leaves it there', { timeout: 20_000 }, async () => {
    const path = join(folder, 'given.sock');
    const unused = join(folder, 'unused.sock');
    const script = join(import.meta.dirname, 'activated-daemon.ts');
    daemon = await startWithSocket(path, [process.execPath, script, unused]);
    // Sent before the daemon listens: the socket makes the engine wait instead of fail.
    const raw = new RawConnection(path);
    raw.post('/NetworkDriver.Leave', JSON.stringify({ NetworkID: NETWORK, EndpointID: ENDPOINT }));
    expect(await raw.answer()).toMatchObject({ body: '{}' });
    if (daemon.stdout === null) throw new Error('no output');
    const lines = createInterface(daemon.stdout)[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe('socket 3 of systemd left=0');
    expect(existsSync(unused)).toBe(false);
    daemon.kill('SIGTERM');
    expect((await lines.next()).value).toBe('closed');
    const exit = await once(daemon, 'exit');
    expect(exit).toEqual([0, null]);
    await raw.untilClosed();
    expect(existsSync(path)).toBe(true);
  });
});
