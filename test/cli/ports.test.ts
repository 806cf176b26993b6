import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import express from 'express';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { addPorts } from '../../src/cli/ports.ts';
import { TsnetError } from '../../src/errors.ts';
import { adminRouter, type ListedPort } from '../../src/protocol/admin-router.ts';
import { LogProbe, NOTHING } from '../protocol/fake.ts';
import { PORT } from './samples.ts';

const CONTAINERS = [
  {
    Names: ['/other/alias', '/shop'],
    NetworkSettings: { Networks: { web: { EndpointID: '1'.repeat(64), NetworkID: PORT.networkId } } },
  },
];

let folder: string;
let servers: Server[];
let printed: string;
let noted: string;
const path = (name: string) => join(folder, name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tsnet-ports-'));
  servers = [];
  printed = '';
  noted = '';
  vi.spyOn(process.stdout, 'write').mockImplementation(text => {
    printed += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation(text => {
    noted += String(text);
    return true;
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  for (const server of servers) await new Promise(resolve => server.close(resolve));
  rmSync(folder, { recursive: true });
});

const listen = (name: string, listener: RequestListener) =>
  new Promise<void>(resolve => {
    servers.push(createServer(listener).listen(path(name), resolve));
  });

/** A daemon that lists what it is told, or fails as it is told. */
const daemon = (published: () => readonly ListedPort[]) =>
  listen(
    'tsnet.sock',
    express().use(
      adminRouter({ ...NOTHING, published }, { log: new LogProbe().log, deadlineMs: 1000, ready: undefined }),
    ),
  );

const engine = (status: number, body: unknown, asked: string[] = []) =>
  listen('docker.sock', (request, response) => {
    asked.push(decodeURIComponent(request.url ?? ''));
    response.writeHead(status).end(JSON.stringify(body));
  });

const ports = async (...args: string[]) => {
  const program = new Command('tsnet').exitOverride();
  addPorts(program);
  const sockets = ['--socket', path('tsnet.sock'), '--docker-socket', path('docker.sock')];
  await program.parseAsync(['ports', ...sockets, ...args], { from: 'user' });
};

describe('tsnet ports', () => {
  it('names containers and networks', async () => {
    const asked: string[] = [];
    await daemon(() => [PORT]);
    await engine(200, CONTAINERS, asked);
    await ports();
    expect(printed).toMatch(/^CONTAINER .*\nshop +web +0\.0\.0\.0:8080 +198\.18\.0\.2:80 +tcp\n$/);
    expect(noted).toBe('');
    expect(asked).toEqual([`/containers/json?filters={"network":["${PORT.networkId}"]}`]);
  });

  it('prints an array with --json', async () => {
    await daemon(() => [PORT]);
    await engine(200, CONTAINERS);
    await ports('--json');
    expect(JSON.parse(printed)).toEqual([{ ...PORT, container: 'shop' }]);
  });

  it('prints a header, or an empty array, when nothing is published, and does not ask the engine', async () => {
    const asked: string[] = [];
    await daemon(() => []);
    await engine(200, [], asked);
    await ports();
    await ports('--json');
    expect(printed).toBe('CONTAINER  NETWORK  PUBLISHED  LEADS TO  PROTOCOL\n[]\n');
    expect(asked).toEqual([]);
  });

  it('goes without names when the engine cannot be asked, and says so', async () => {
    await daemon(() => [PORT]);
    await ports();
    expect(printed).toMatch(/\n1{12} +web /);
    expect(noted).toMatch(/^tsnet: names of containers are missing: connect ENOENT .*docker\.sock\n$/);
  });

  it.each([
    [500, { message: 'starting' }],
    [200, { not: 'a list' }],
  ])('goes without names when the engine answers %i %j', async (status, body) => {
    await daemon(() => [PORT]);
    await engine(status, body);
    await ports('--json');
    expect(JSON.parse(printed)).toEqual([{ ...PORT, container: null }]);
    expect(noted).toContain('names of containers are missing');
  });

  it('does not ask the engine when told so, and has nothing to say about it', async () => {
    const asked: string[] = [];
    await daemon(() => [PORT]);
    await engine(200, CONTAINERS, asked);
    await ports('--docker-socket', '');
    expect(asked).toEqual([]);
    expect(noted).toBe('');
    expect(printed).toMatch(/\n1{12} +web /);
  });
});

describe('tsnet ports without a daemon to ask', () => {
  const complaint = async () => {
    const error: unknown = await ports().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TsnetError);
    expect((error as TsnetError).code).toBe('DAEMON');
    expect(printed).toBe('');
    return (error as TsnetError).message;
  };

  it('says that there is none and how to get one', async () => {
    const message = await complaint();
    expect(message).toContain(`no daemon can be asked on ${path('tsnet.sock')} (connect ENOENT`);
    expect(message).toContain('Start the daemon');
  });

  it('says what the daemon refused with', async () => {
    await daemon(() => {
      throw new TsnetError('STATE_CORRUPT', 'the state file is no database');
    });
    expect(await complaint()).toMatch(/refused: STATE_CORRUPT: the state file is no database\./);
  });

  it('says that the daemon is older when it does not know the question', async () => {
    await listen('tsnet.sock', (_request, response) => {
      response.writeHead(404).end(JSON.stringify({ Err: 'METHOD_UNKNOWN: none. None.', Error: '' }));
    });
    expect(await complaint()).toContain('Restart it, for it is older than this program.');
  });

  it.each([
    [404, '{"message":"page not found"}'],
    [200, '{"ports":[{"hostPort":70000}]}'],
    [200, 'hello'],
  ])('does not take %i %s for an answer', async (status, body) => {
    await listen('tsnet.sock', (_request, response) => response.writeHead(status).end(body));
    expect(await complaint()).toContain(`with status ${status} is no tsnet of this version`);
  });
});
