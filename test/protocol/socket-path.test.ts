import { execFileSync } from 'node:child_process';
import { lstatSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listen } from '../../src/protocol/server.ts';
import { freeSocketPath } from '../../src/protocol/socket-path.ts';
import { setUp } from './fake.ts';
import { RawConnection } from './raw.ts';

let folder = '';
let path = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tsnet-socket-'));
  path = join(folder, 'tsnet.sock');
});
afterEach(() => rmSync(folder, { recursive: true }));

const start = () => {
  const { app, probe } = setUp();
  return listen({ app, socketPath: path, log: probe.log, env: {} });
};

describe('a socket that is there', () => {
  it('is replaced when its process died without removing it', async () => {
    const dies = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    expect(() => execFileSync(process.execPath, ['-e', dies])).toThrow();
    expect(lstatSync(path).isSocket()).toBe(true);
    const listener = await start();
    const raw = new RawConnection(path);
    raw.post('/Plugin.Activate', '');
    expect((await raw.answer()).head).toMatch(/^HTTP\/1\.1 200/);
    raw.socket.destroy();
    await listener.close();
  });

  it('is left alone when somebody answers', async () => {
    const first = await start();
    await expect(start()).rejects.toMatchObject({
      code: 'SOCKET_IN_USE',
      what: expect.stringContaining(path),
    });
    const raw = new RawConnection(path);
    raw.post('/Plugin.Activate', '');
    expect((await raw.answer()).head).toMatch(/^HTTP\/1\.1 200/);
    raw.socket.destroy();
    await first.close();
  });

  it('is left alone when it is of somebody who is no daemon of ours', async () => {
    const other = createServer(socket => socket.destroy());
    await new Promise<void>(resolve => other.listen(path, resolve));
    await expect(freeSocketPath(path)).rejects.toMatchObject({ code: 'SOCKET_IN_USE' });
    expect(lstatSync(path).isSocket()).toBe(true);
    await new Promise(resolve => other.close(resolve));
  });
});

describe('something else that is there', () => {
  it('is refused and left alone: a file', async () => {
    writeFileSync(path, 'precious');
    await expect(start()).rejects.toMatchObject({
      code: 'SOCKET_PATH',
      what: `${path} is there and is no socket`,
    });
    expect(readFileSync(path, 'utf8')).toBe('precious');
  });

  it('is refused and left alone: a symbolic link, even to nothing', async () => {
    symlinkSync(join(folder, 'nothing'), path);
    await expect(start()).rejects.toMatchObject({ code: 'SOCKET_PATH' });
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
  });

  it('is refused: a folder', async () => {
    await expect(freeSocketPath(folder)).rejects.toMatchObject({ code: 'SOCKET_PATH' });
  });
});

it('refuses a path that the kernel would cut', async () => {
  await expect(freeSocketPath(join(folder, 'x'.repeat(108)))).rejects.toMatchObject({
    code: 'SOCKET_PATH',
    what: expect.stringContaining('107 bytes'),
  });
});
