import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Listener, listen } from '../../src/protocol/server.ts';
import { setUp } from '../protocol/fake.ts';

const NOBODY = 65_534;
const ROOT = join(import.meta.dirname, '../..');

/** How a connection ends that this process opens as another user: what the kernel looks at is the effective one at connect(2). */
function connectAs(user: number, path: string): Promise<string> {
  const outcome = Promise.withResolvers<string>();
  process.seteuid?.(user);
  try {
    const socket = connect(path);
    socket.once('connect', () => {
      outcome.resolve('connected');
      socket.destroy();
    });
    socket.once('error', (error: NodeJS.ErrnoException) => outcome.resolve(error.code ?? 'error'));
  } finally {
    process.seteuid?.(0);
  }
  return outcome.promise;
}

describe('the plugin socket', () => {
  let folder = '';
  let listener: Listener;
  const { app, probe } = setUp();
  const path = () => join(folder, 'tsnet.sock');
  beforeAll(async () => {
    // Open to all, so that it is the socket that refuses.
    folder = mkdtempSync(join(tmpdir(), 'tsnet-security-'));
    chmodSync(folder, 0o777);
    listener = await listen({ app, socketPath: path(), log: probe.log, env: {} });
  });
  afterAll(async () => {
    await listener.close(0);
    rmSync(folder, { recursive: true });
  });

  it('belongs to root alone', () => {
    const { mode, uid } = statSync(path());
    expect([mode & 0o777, uid]).toEqual([0o600, 0]);
  });

  it('is open to root and refused to others', async () => {
    expect(await connectAs(0, path())).toBe('connected');
    expect(await connectAs(NOBODY, path())).toBe('EACCES');
  });

  it('is made so by systemd as well', () => {
    const unit = readFileSync(join(ROOT, 'plugin/systemd/tsnet.socket'), 'utf8');
    expect(unit).toMatch(/^SocketMode=0600$/m);
    expect(unit).not.toMatch(/^SocketUser=|^SocketGroup=|^ListenStream=.*:/m);
  });
});
