import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ownPluginId, PlainName, removeDeadName } from '../../src/instance/plain-name.ts';
import { logLines } from '../reconcile/log-lines.ts';

const [ID, OTHER] = ['1f'.repeat(32), '2e'.repeat(32)];

let host = '';
const servers: Server[] = [];
beforeEach(() => {
  host = mkdtempSync(join(tmpdir(), 'tsnet-name-'));
  mkdirSync(join(host, 'plugins', ID), { recursive: true });
});
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  rmSync(host, { recursive: true });
});

const path = () => join(host, 'plugins/tsnet.sock');
const listen = (at: string): Promise<void> => {
  const server = createServer().unref();
  servers.push(server);
  return new Promise(resolve => server.listen(at, resolve));
};

/** Lays the name of plugin ID. @returns what the log was told */
async function lay(): Promise<string[]> {
  const { log, lines } = logLines();
  await PlainName.of(ID, host, '/run/docker/plugins/tsnet.sock', log).lay();
  return lines;
}

describe('the plain name of a managed plugin', () => {
  it('leads to its socket, and is seen as the engine looks it up, not as it scans', async () => {
    await listen(join(host, 'plugins', ID, 'tsnet.sock'));
    expect(await lay()).toEqual(['info: plain driver name laid']);
    expect(readlinkSync(path())).toBe(`${ID}/tsnet.sock`);
    // moby pkg/plugins/discovery.go: Plugin() takes what os.Stat says, Scan() what the entry itself is
    expect((await stat(path())).isSocket()).toBe(true);
    const entries = await readdir(join(host, 'plugins'), { withFileTypes: true });
    expect(entries.filter(entry => entry.isSocket())).toEqual([]);
    expect(entries.map(entry => entry.name).sort()).toEqual([ID, 'tsnet.sock']);
    expect(await lay()).toEqual([]);
  });

  it('leads nowhere once the engine has removed the folder of the socket', async () => {
    await lay();
    rmSync(join(host, 'plugins', ID), { recursive: true });
    expect(existsSync(path())).toBe(false);
    expect(lstatSync(path()).isSymbolicLink()).toBe(true);
  });

  it.each([
    ["another plugin's link", () => symlinkSync(`${OTHER}/tsnet.sock`, path())],
    ['a link that leads nowhere', () => symlinkSync('/nowhere/at/all', path())],
  ])('takes the place of %s', async (_, put) => {
    put();
    expect(await lay()).toEqual(['info: plain driver name laid']);
    expect(readlinkSync(path())).toBe(`${ID}/tsnet.sock`);
  });

  it('takes the place of a socket that nobody listens on', async () => {
    const bind = `require('node:net').createServer().listen(${JSON.stringify(path())}, () => process.kill(process.pid, 'SIGKILL'))`;
    await execa(process.execPath, ['-e', bind], { reject: false });
    expect(lstatSync(path()).isSocket()).toBe(true);
    expect(await lay()).toEqual(['info: plain driver name laid']);
    expect(readlinkSync(path())).toBe(`${ID}/tsnet.sock`);
  });

  it.each([
    ['a socket that is in use', () => listen(path()), /something listens on .*tsnet\.sock; stop it/],
    ['a file', () => writeFileSync(path(), ''), /is there and is no socket; move it away/],
    [
      "somebody's link to what is there",
      () => symlinkSync(ID, path()),
      /somebody else's link is at .*; remove it/,
    ],
    ['no folder', () => rmSync(join(host, 'plugins'), { recursive: true }), /ENOENT/],
  ])('is not laid over %s, and the log says why', async (_, put, words) => {
    await put();
    const before = existsSync(path()) ? lstatSync(path()).ino : undefined;
    const [line, ...more] = await lay();
    expect(line).toMatch(/^warn: the driver is known as NAME:TAG only, not as tsnet: /);
    expect(line).toMatch(words);
    expect(more).toEqual([]);
    expect(existsSync(path()) ? lstatSync(path()).ino : undefined).toBe(before);
  });

  it('is taken away by its owner alone', async () => {
    const { log } = logLines();
    await lay();
    await PlainName.of(OTHER, host, '/run/docker/plugins/tsnet.sock', log).remove();
    expect(readlinkSync(path())).toBe(`${ID}/tsnet.sock`);
    const own = PlainName.of(ID, host, '/run/docker/plugins/tsnet.sock', log);
    await own.remove();
    expect(await readdir(join(host, 'plugins'))).toEqual([ID]);
    await own.remove();
  });
});

describe('a daemon that puts its own socket there', () => {
  it('removes a link that a plugin has left', async () => {
    symlinkSync(`${OTHER}/tsnet.sock`, path());
    await removeDeadName(path());
    expect(await readdir(join(host, 'plugins'))).toEqual([ID]);
  });

  it.each([
    ['of a plugin that runs', `${ID}/tsnet.sock`],
    ["of somebody else's", '/nowhere/at/all'],
  ])('leaves a link %s', async (_, target) => {
    await listen(join(host, 'plugins', ID, 'tsnet.sock'));
    symlinkSync(target, path());
    await removeDeadName(path());
    expect(readlinkSync(path())).toBe(target);
  });

  it('does nothing where nothing is', async () => {
    await removeDeadName(path());
    expect(await readdir(join(host, 'plugins'))).toEqual([ID]);
  });
});

describe("the engine's id of a plugin", () => {
  it('is the name of the folder that the plugin has mounted for its socket', async () => {
    mkdirSync(join(host, 'plugins', OTHER));
    mkdirSync(join(host, 'own'));
    const socket = join(host, 'own/tsnet.sock');
    expect(await ownPluginId(host, socket)).toBeUndefined();
    await execa('mount', ['--bind', join(host, 'plugins', ID), join(host, 'own')]);
    try {
      expect(await ownPluginId(host, socket)).toBe(ID);
    } finally {
      await execa('umount', [join(host, 'own')]);
    }
  });

  it('is unknown outside of a plugin', async () => {
    expect(await ownPluginId(host, '/not/there/tsnet.sock')).toBeUndefined();
    expect(await ownPluginId(join(host, 'none'), join(host, 'plugins/tsnet.sock'))).toBeUndefined();
    expect(await ownPluginId(host, join(host, 'plugins/tsnet.sock'))).toBeUndefined();
  });
});
