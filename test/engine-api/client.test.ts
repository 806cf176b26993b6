import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { viewAttachments, viewEngine } from '../../src/engine/client.ts';

let folder: string;
let server: Server | undefined;
const socket = () => join(folder, 'docker.sock');

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tsnet-client-'));
});
afterEach(async () => {
  const open = server;
  server = undefined;
  if (open !== undefined) {
    open.closeAllConnections();
    await new Promise(resolve => open.close(resolve));
  }
  rmSync(folder, { recursive: true });
});

const listen = (listener: RequestListener) =>
  new Promise<void>(resolve => {
    server = createServer(listener).listen(socket(), resolve);
  });

/** An engine that answers each path with a status and a body. */
const engine = (answers: Record<string, [number, string]>) =>
  listen((request, response) => {
    const [status, body] = answers[request.url ?? ''] ?? [404, '{"message":"page not found"}'];
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(body);
  });

const INFO = JSON.stringify({
  ID: 'e1b0',
  Containers: 3,
  ServerVersion: '28.5.2+dfsg4',
  LiveRestoreEnabled: true,
});
const NETWORKS = JSON.stringify([
  { Id: 'a'.repeat(64), Name: 'web', Driver: 'tsnet', Options: {}, Labels: null },
  { Id: 'b'.repeat(64), Name: 'naïve “name”', Driver: 'bridge' },
]);

describe('viewEngine', () => {
  it('says who the engine is and what networks it has', async () => {
    await engine({ '/info': [200, INFO], '/networks': [200, NETWORKS] });
    expect(await viewEngine(socket())).toEqual({
      engineId: 'e1b0',
      release: { version: '28.5.2+dfsg4', liveRestore: true },
      networks: [
        { id: 'a'.repeat(64), name: 'web' },
        { id: 'b'.repeat(64), name: 'naïve “name”' },
      ],
    });
  });

  it('is content with an engine that does not say its version', async () => {
    await engine({ '/info': [200, '{"ID":"e1b0"}'], '/networks': [200, '[]'] });
    expect((await viewEngine(socket())).release).toEqual({ version: '', liveRestore: false });
  });

  it('puts together an answer that comes in pieces', async () => {
    await listen((request, response) => {
      const body = Buffer.from(request.url === '/info' ? INFO : NETWORKS);
      for (let at = 0; at < body.length; at += 7) response.write(body.subarray(at, at + 7));
      response.end();
    });
    expect((await viewEngine(socket())).networks[1]?.name).toBe('naïve “name”');
  });

  it('asks with GET, for what the socket proxies of careful people let through', async () => {
    const asked: string[] = [];
    await listen((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.end(request.url === '/info' ? INFO : NETWORKS);
    });
    await viewEngine(socket());
    expect(asked).toEqual(['GET /info', 'GET /networks']);
  });

  it.each([
    ['a status that is no success', { '/info': [503, 'booting'] }, /GET \/info on .*: status 503: booting/],
    ['a second answer that fails', { '/info': [200, INFO] }, /GET \/networks on .*: status 404/],
    ['what is no JSON', { '/info': [200, '<html>'] }, /JSON/],
    ['JSON of another form', { '/info': [200, '{"Id":"x"}'] }, /ID/],
    ['networks that are no list', { '/info': [200, INFO], '/networks': [200, '{}'] }, /array/],
  ] as const)('fails on %s', async (_what, answers, words) => {
    await engine(answers as unknown as Record<string, [number, string]>);
    await expect(viewEngine(socket())).rejects.toThrow(words);
  });

  it('fails where nobody listens', async () => {
    await expect(viewEngine(socket())).rejects.toThrow(/ENOENT/);
  });

  it('fails on a connection that breaks in the middle of an answer', async () => {
    await listen((_request, response) => {
      response.writeHead(200, { 'Content-Length': '1000' });
      response.write('{"ID":', () => response.destroy());
    });
    await expect(viewEngine(socket())).rejects.toThrow(/aborted|reset|hang up/);
  });

  it('fails on an engine that takes the question and does not answer', { timeout: 15_000 }, async () => {
    await listen(() => undefined);
    await expect(viewEngine(socket())).rejects.toThrow(/no answer within 3 s/);
  });

  it('fails also on an answer that trickles and does not end', { timeout: 20_000 }, async () => {
    await listen((_request, response) => {
      response.writeHead(200);
      const trickle = setInterval(() => response.write(' '), 500);
      response.on('close', () => clearInterval(trickle));
    });
    const outcome = viewEngine(socket()).then(
      () => 'an answer',
      () => 'a failure',
    );
    const patience = delay(6000, 'still waiting after 6 s', { ref: false });
    expect(await Promise.race([outcome, patience])).toBe('a failure');
  });
});

describe('viewAttachments', () => {
  const ID = 'a'.repeat(64);
  const asks = (body: unknown) => {
    const filters = encodeURIComponent(JSON.stringify({ network: [ID] }));
    return engine({ [`/containers/json?filters=${filters}`]: [200, JSON.stringify(body)] });
  };

  it('names the containers of the networks by their endpoints', async () => {
    await asks([
      {
        Names: ['/linking/alias', '/web'],
        NetworkSettings: { Networks: { lan: { EndpointID: 'e1' }, dmz: { EndpointID: 'e2' } } },
      },
      { Names: ['/starting'], NetworkSettings: { Networks: null } },
    ]);
    expect(await viewAttachments(socket(), [ID])).toEqual(
      new Map([
        ['e1', { container: 'web', network: 'lan' }],
        ['e2', { container: 'web', network: 'dmz' }],
      ]),
    );
  });

  it('fails with the words of an engine that refuses', async () => {
    await engine({});
    await expect(viewAttachments(socket(), [ID])).rejects.toThrow(/status 404: .*page not found/);
  });
});
