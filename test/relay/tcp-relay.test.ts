import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { execa } from 'execa';
import { describe, expect, it, vi } from 'vitest';
import type { RelayTarget } from '../../src/relay/relay.ts';
import { ending, fate, Opened, textOf } from './support.ts';

// The clients of these tests are on this host, which is served always: here it has no address of its own.
vi.mock('../../src/relay/relay.ts', async original => {
  const real = await original<typeof import('../../src/relay/relay.ts')>();
  return { ...real, admission: (target: RelayTarget) => real.admission(target, () => []) };
});

describe('the relay of a TCP port', () => {
  it('passes on in both directions', async () => {
    await using opened = new Opened();
    const upstream = await opened.server(socket => socket.pipe(socket));
    const { hold } = opened.relayed('tcp', upstream);
    const sent = randomBytes(8 * 1024 * 1024);
    const received = createHash('sha256');
    const client = await opened.client(hold.port);
    client.end(sent);
    for await (const chunk of client) received.update(chunk as Buffer);
    expect(received.digest('hex')).toBe(createHash('sha256').update(sent).digest('hex'));
  });

  it('does not read on for a side that does not', async () => {
    await using opened = new Opened();
    let server: Socket | undefined;
    const upstream = await opened.server(socket => {
      server = socket.pause();
    });
    const { hold } = opened.relayed('tcp', upstream);
    const client = await opened.client(hold.port);
    const before = process.memoryUsage().arrayBuffers;
    const chunk = randomBytes(1024 * 1024);
    const sent = 128;
    let accepted = 0;
    for (let i = 0; i < sent; i++) client.write(chunk, () => accepted++);
    client.end();
    await expect.poll(() => server).toBeDefined();
    // Sockets have buffers of some MiB; what the relay reads beyond them would be in its own memory.
    await expect.poll(() => accepted).toBeGreaterThan(0);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan((sent / 2) * chunk.length);
    expect(accepted).toBeLessThan(sent);
    let received = 0;
    for await (const part of server ?? []) received += (part as Buffer).length;
    expect(received).toBe(sent * chunk.length);
  });

  it('lets each direction end by itself', async () => {
    await using opened = new Opened();
    const heard: string[] = [];
    const upstream = await opened.server(socket => {
      void textOf(socket).then(question => {
        heard.push(question);
        socket.end(`answer to ${question}`);
      });
    });
    const asking = await opened.client(opened.relayed('tcp', upstream).hold.port);
    asking.end('question');
    expect(await textOf(asking)).toBe('answer to question');

    const greeting = await opened.server(socket => {
      socket.end('hello');
      void textOf(socket).then(text => heard.push(text));
    });
    const greeted = await opened.client(opened.relayed('tcp', greeting).hold.port);
    expect(await textOf(greeted)).toBe('hello');
    greeted.end('late');
    await expect.poll(() => heard).toEqual(['question', 'late']);
  });

  it('resets the client whose connection the container refuses or breaks off', async () => {
    await using opened = new Opened();
    const upstream = await opened.server(socket => socket.once('data', () => socket.resetAndDestroy()));
    const { hold } = opened.relayed('tcp', upstream);
    const broken = await opened.client(hold.port);
    broken.write('x');
    expect(await ending(broken)).toBe('ECONNRESET');

    upstream.server.close();
    expect(await fate(hold.port)).toBe('ECONNRESET');
  });

  it('resets the connection to the container when the client breaks off', async () => {
    await using opened = new Opened();
    const ended: string[] = [];
    const upstream = await opened.server(socket => {
      socket.write('x');
      void ending(socket).then(how => ended.push(how));
    });
    const client = await opened.client(opened.relayed('tcp', upstream).hold.port);
    await once(client, 'data');
    client.resetAndDestroy();
    await expect.poll(() => ended).toEqual(['ECONNRESET']);
  });

  it('serves only the clients that it is to serve', async () => {
    await using opened = new Opened();
    let connections = 0;
    const { address, port } = await opened.server(socket => {
      connections++;
      socket.end('served');
    });
    const { holds, hold } = opened.relayed('tcp', {
      address,
      port,
      allowFrom: ['2001:db8::/32', '10.0.0.0/8'],
    });
    expect(await fate(hold.port)).toBe('ECONNRESET');
    expect(connections).toBe(0);
    const wider = { ...hold, relay: { address, port, allowFrom: ['2001:db8::/32', '::/64'] } };
    holds.add(wider);
    expect(holds.list()).toEqual([wider]);
    expect(await textOf(await opened.client(hold.port))).toBe('served');
    expect(connections).toBe(1);
  });

  it('ends what is under way when its target changes, and the port stays held', async () => {
    await using opened = new Opened();
    const first = await opened.server(socket => socket.write('first'));
    const second = await opened.server(socket => socket.end('second'));
    const { holds, hold } = opened.relayed('tcp', { address: first.address, port: first.port });
    const client = await opened.client(hold.port);
    await once(client, 'data');
    holds.add(hold);
    client.write('still there');
    expect(client.destroyed).toBe(false);
    holds.add({ ...hold, relay: { address: second.address, port: second.port } });
    expect(await ending(client)).toBe('ECONNRESET');
    expect(await textOf(await opened.client(hold.port))).toBe('second');
  });

  it('ends with its hold, whose port can be held again at once', async () => {
    await using opened = new Opened();
    const upstream = await opened.server(socket => socket.end('bye'));
    const { address, port } = upstream;
    const { holds, hold } = opened.relayed('tcp', { address, port });
    const done = await opened.client(hold.port);
    expect(await textOf(done)).toBe('bye');
    const running = await opened.client(hold.port);
    await once(running, 'data');
    const ended = ending(running);
    await holds.delete(hold);
    expect(holds.list()).toEqual([]);
    expect(['end', 'ECONNRESET']).toContain(await ended);
    done.end();
    expect(await fate(hold.port)).toBe('ECONNREFUSED');
    const { relay: _, ...bare } = hold;
    holds.add(bare);
    expect(await fate(hold.port)).toBe('ECONNREFUSED');
    holds.add(hold);
    expect(await textOf(await opened.client(hold.port))).toBe('bye');
    holds.add(bare);
    expect(holds.list()).toEqual([bare]);
    expect(await fate(hold.port)).toBe('ECONNREFUSED');
  });

  it('does not keep the process', async () => {
    const module = (path: string) => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).pathname);
    const script = `
      import { connect, createServer } from 'node:net';
      import { once } from 'node:events';
      import { PortHolds } from ${module('kernel/ports/port-holds.ts')};
      const server = createServer(socket => {
        socket.write('x');
        socket.unref();
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const holds = new PortHolds();
      const relay = { address: '127.0.0.1', port: server.address().port };
      for (const protocol of ['tcp', 'udp']) {
        const [hold] = holds.hold({ protocol, addresses: ['::'], port: 0, owner: 'a' });
        holds.add({ ...hold, relay });
        if (protocol === 'udp') continue;
        const client = connect(hold.port, '::1');
        await once(client, 'data');
        client.unref();
      }
      server.unref();
      process.stdout.write('over');`;
    const args = ['--input-type=module', '-e', script];
    expect((await execa(process.execPath, args, { timeout: 20_000 })).stdout).toBe('over');
  });
});
