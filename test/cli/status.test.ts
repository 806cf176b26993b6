import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import express from 'express';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { addStatus } from '../../src/cli/status.ts';
import type { DaemonStatus } from '../../src/protocol/admin-router.ts';
import { adminRouter } from '../../src/protocol/admin-router.ts';
import { LogProbe, NOTHING } from '../protocol/fake.ts';

const STATUS: DaemonStatus = {
  networks: 2,
  endpoints: 3,
  attached: { byEngine: 5, inside: 4, unopened: 1 },
  orphans: [
    { name: 'network web', since: 3, removedIn: 27 },
    { name: 'network lan', since: 40, kept: 'a container is on it' },
    { name: 'pool tsnet-local/198.18.0.0/24', since: 9 },
  ],
  collected: 7,
  store: { damaged: ['/var/lib/tsnet/tsnet.db.damaged-1'] },
};

let directory: string;
let server: Server;
let written: string;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tsnet-status-'));
  written = '';
  vi.spyOn(process.stdout, 'write').mockImplementation(text => {
    written += String(text);
    return true;
  });
  const context = { log: new LogProbe().log, deadlineMs: 1000, ready: undefined };
  const app = express().use(adminRouter({ ...NOTHING, status: () => STATUS }, context));
  server = createServer(app);
  await new Promise<void>(resolve => server.listen(join(directory, 'tsnet.sock'), resolve));
});

afterEach(async () => {
  vi.restoreAllMocks();
  await new Promise(resolve => server.close(resolve));
  rmSync(directory, { recursive: true });
});

async function run(...args: string[]): Promise<string> {
  const program = new Command('tsnet').exitOverride();
  addStatus(program);
  await program.parseAsync(['status', '--socket', join(directory, 'tsnet.sock'), ...args], { from: 'user' });
  return written;
}

describe('tsnet status', () => {
  it('says in words who has put interfaces into containers', async () => {
    const lines = (await run()).trimEnd().split('\n');
    expect(lines[0]).toBe('networks    2');
    expect(lines[1]).toBe('endpoints   3');
    expect(lines[2]).toContain('4 by tsnet inside the container, 5 by the engine');
    expect(lines[3]).toMatch(/^unopened +1 /);
    expect(lines.slice(4).map(line => line.trim())).toEqual([
      'orphans     3 unknown to the engine, 7 removed since the daemon started',
      'network web: for 3 s, removed in 27 s',
      'network lan: for 40 s, kept: a container is on it',
      'pool tsnet-local/198.18.0.0/24: for 9 s, kept: nothing is removed',
      'state       can be read and written',
      'was damaged and is restored; the damaged file is kept: /var/lib/tsnet/tsnet.db.damaged-1',
    ]);
  });

  it('says the same as JSON', async () => {
    expect(JSON.parse(await run('--json'))).toEqual(STATUS);
  });

  it('says that no daemon answers', async () => {
    const program = new Command('tsnet').exitOverride();
    addStatus(program);
    const asked = program.parseAsync(['status', '--socket', join(directory, 'none')], { from: 'user' });
    await expect(asked).rejects.toMatchObject({ code: 'DAEMON' });
  });
});
