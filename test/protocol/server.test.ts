import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Listener, listen } from '../../src/protocol/server.ts';
import { ENDPOINT, NETWORK, setUp } from './fake.ts';
import { RawConnection } from './raw.ts';

const body = JSON.stringify({ NetworkID: NETWORK, EndpointID: ENDPOINT });
let folder = '';
let open: Listener[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tsnet-protocol-'));
});
afterEach(async () => {
  await Promise.all(open.splice(0).map(listener => listener.close(0)));
  open = [];
  rmSync(folder, { recursive: true });
});

const start = async (options: Parameters<typeof setUp>[0] = {}) => {
  const socketPath = join(folder, 'plugins', 'tsnet.sock');
  const { app, drivers, probe } = setUp(options);
  const listener = await listen({ app, socketPath, log: probe.log, env: {} });
  open.push(listener);
  return { listener, drivers, probe, socketPath };
};

describe('the socket', () => {
  it('is open to its owner alone, in a folder that is made', async () => {
    const umask = process.umask();
    const { socketPath, listener } = await start();
    expect(statSync(socketPath).mode & 0o777).toBe(0o600);
    expect(process.umask()).toBe(umask);
    expect(listener.where).toBe(socketPath);
  });

  it('is so whatever the umask of the process', async () => {
    const umask = process.umask(0);
    try {
      const { socketPath } = await start();
      expect(statSync(socketPath).mode & 0o777).toBe(0o600);
    } finally {
      process.umask(umask);
    }
  });
});

describe('connections', () => {
  it('are answered with an empty Host, and without Content-Type', async () => {
    const { socketPath } = await start();
    const raw = new RawConnection(socketPath);
    for (const host of ['', 'plugin.moby.localhost', '%2Frun%2Fdocker%2Fplugins%2Ftsnet.sock']) {
      raw.post('/Plugin.Activate', '', host);
      expect((await raw.answer()).head).toMatch(/^HTTP\/1\.1 200 OK/);
      raw.post('/NetworkDriver.Leave', body, host);
      expect(await raw.answer()).toMatchObject({ body: '{}' });
    }
    raw.socket.write('POST /Plugin.Activate HTTP/1.1\r\nContent-Length: 0\r\n\r\n');
    expect((await raw.answer()).head).toMatch(/^HTTP\/1\.1 200 OK/);
    raw.socket.destroy();
  });

  it('have no limit of time or of calls', async () => {
    const { listener } = await start();
    expect(listener.server).toMatchObject({
      keepAliveTimeout: 0,
      headersTimeout: 0,
      requestTimeout: 0,
      timeout: 0,
      maxRequestsPerSocket: 0,
    });
  });

  it('stay open while idle, and say nothing of a time limit', async () => {
    const { socketPath } = await start();
    const used = new RawConnection(socketPath);
    const unused = new RawConnection(socketPath);
    used.post('/Plugin.Activate', '');
    expect((await used.answer()).head).not.toMatch(/keep-alive: timeout|connection: close/i);
    // Idle time itself is what is tested here.
    await pause(400);
    for (const raw of [used, unused]) {
      raw.post('/NetworkDriver.Leave', body);
      expect(await raw.answer()).toMatchObject({ body: '{}' });
      raw.socket.destroy();
    }
  });

  // Node's own limit is 5 s and a second of buffer.
  it('outlive the limit that Node has by itself', { timeout: 15_000 }, async () => {
    const { socketPath } = await start();
    const raw = new RawConnection(socketPath);
    raw.post('/Plugin.Activate', '');
    await raw.answer();
    await pause(6_500);
    raw.post('/NetworkDriver.Leave', body);
    expect(await raw.answer()).toMatchObject({ body: '{}' });
    raw.socket.destroy();
  });

  it('that break in the middle of a body harm nobody', async () => {
    const { socketPath, drivers, probe } = await start();
    const raw = new RawConnection(socketPath);
    raw.socket.write('POST /NetworkDriver.Leave HTTP/1.1\r\nHost: \r\nContent-Length: 500\r\n\r\n{"Net');
    raw.socket.end();
    await probe.entry(entry => entry['outcome'] === 'BODY_INVALID');
    expect(drivers.calls).toEqual([]);
    const next = new RawConnection(socketPath);
    next.post('/NetworkDriver.Leave', body);
    expect(await next.answer()).toMatchObject({ body: '{}' });
    next.socket.destroy();
  });
});

describe('close', () => {
  it('does not wait for connections on which nothing was ever sent', async () => {
    const { socketPath, listener } = await start();
    const unused = new RawConnection(socketPath);
    const used = new RawConnection(socketPath);
    used.post('/Plugin.Activate', '');
    await used.answer();
    await listener.close(60_000);
    open = [];
    await unused.untilClosed();
  });

  it('lets a call in flight finish, then ends every connection and removes the socket', async () => {
    const { socketPath, drivers, listener } = await start();
    const entered = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    drivers.behaviour['leave'] = () => {
      entered.resolve();
      return gate.promise;
    };
    const idle = new RawConnection(socketPath);
    idle.post('/Plugin.Activate', '');
    await idle.answer();
    const busy = new RawConnection(socketPath);
    busy.post('/NetworkDriver.Leave', body);
    await entered.promise;
    const closed = listener.close();
    await idle.untilClosed();
    expect(busy.closed).toBe(false);
    expect(existsSync(socketPath)).toBe(false);
    gate.resolve();
    expect(await busy.answer()).toMatchObject({ body: '{}' });
    await busy.untilClosed();
    await closed;
    open = [];
  });

  it('cuts off what outlasts the grace', async () => {
    const { socketPath, drivers, listener } = await start();
    const entered = Promise.withResolvers<void>();
    drivers.behaviour['leave'] = () => {
      entered.resolve();
      return new Promise(() => undefined);
    };
    const busy = new RawConnection(socketPath);
    busy.post('/NetworkDriver.Leave', body);
    await entered.promise;
    await listener.close(20);
    open = [];
    await expect(busy.answer()).rejects.toThrow('closed');
  });
});
