import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { execa } from 'execa';
import { describe, expect, it, vi } from 'vitest';
import { fate, Opened, textOf } from './support.ts';

vi.mock('node:net', async original => {
  const net = await original<typeof import('node:net')>();
  return { ...net, createServer: vi.fn(net.createServer) };
});

vi.mock('node:dgram', async original => {
  const dgram = await original<typeof import('node:dgram')>();
  return { ...dgram, createSocket: vi.fn(dgram.createSocket) };
});

/** How many servers an action makes. */
async function serversMadeBy(action: () => Promise<unknown>): Promise<number> {
  const before = vi.mocked(createServer).mock.calls.length;
  await action();
  return vi.mocked(createServer).mock.calls.length - before;
}

describe('the relay of a TCP port before somebody connects', () => {
  it('makes a server for the first connection, and no other one', async () => {
    await using opened = new Opened();
    const upstream = await opened.server(socket => socket.end('served'));
    const held = [1, 2, 3].map(() => opened.hold('tcp'));
    const relay = { address: upstream.address, port: upstream.port };
    const made = await serversMadeBy(async () => {
      for (const { holds, hold } of held) holds.add({ ...hold, relay });
    });
    expect(made).toBe(0);
    const port = held[1]?.hold.port ?? 0;
    const ask = async () => expect(await textOf(await opened.client(port))).toBe('served');
    expect(await serversMadeBy(ask)).toBe(1);
    let signals = 0;
    const count = () => signals++;
    process.on('SIGURG', count);
    expect(await serversMadeBy(() => Promise.all([ask(), ask(), ask()]))).toBe(0);
    process.off('SIGURG', count);
    expect(signals).toBe(0);
  });

  it('passes on to the place that was named last', async () => {
    await using opened = new Opened();
    const first = await opened.server(socket => socket.end('first'));
    const second = await opened.server(socket => socket.end('second'));
    const { holds, hold } = opened.relayed('tcp', { address: first.address, port: first.port });
    holds.add({ ...hold, relay: { address: second.address, port: second.port } });
    expect(await textOf(await opened.client(hold.port))).toBe('second');
  });

  it('gives its port back, and those after it are served', async () => {
    await using opened = new Opened();
    const { address, port } = await opened.server(socket => socket.end('served'));
    const { holds, hold } = opened.relayed('tcp', { address, port });
    for (let i = 0; i < 3; i++) {
      await holds.delete(hold);
      expect(await fate(hold.port)).toBe('ECONNREFUSED');
      holds.add(hold);
    }
    expect(await textOf(await opened.client(hold.port))).toBe('served');
  });

  it('ends with a connection that it had no time to see', async () => {
    await using opened = new Opened();
    const { address, port } = await opened.server(socket => socket.end('served'));
    const { holds, hold } = opened.relayed('tcp', { address, port });
    const made = await serversMadeBy(async () => {
      execFileSync(process.execPath, ['-e', clients(hold.port, 1)]);
      await holds.delete(hold);
      expect(await fate(hold.port)).toBe('ECONNREFUSED');
    });
    expect(made).toBe(0);
  });

  it('loses none of those that come before it has a server', async () => {
    await using opened = new Opened();
    const heard: string[] = [];
    const { address, port } = await opened.server(socket => {
      void textOf(socket).then(text => heard.push(text));
    });
    const { hold } = opened.relayed('tcp', { address, port });
    // They have come and gone when the event loop is free again.
    execFileSync(process.execPath, ['-e', clients(hold.port, 20)]);
    await expect.poll(() => heard).toEqual(Array(20).fill('hello'));
  });

  it('serves many ports that are connected to at once', async () => {
    await using opened = new Opened();
    const { address, port } = await opened.server(socket => socket.end('served'));
    const ports = Array.from({ length: 200 }, () => opened.relayed('tcp', { address, port }).hold.port);
    const answers = await Promise.all(
      [...ports, ...ports].map(async each => textOf(await opened.client(each))),
    );
    expect(answers).toEqual(Array(400).fill('served'));
  });

  it('does not keep the process', async () => {
    const module = new URL('../../src/kernel/ports/port-holds.ts', import.meta.url).pathname;
    const script = `
      import { PortHolds } from ${JSON.stringify(module)};
      const holds = new PortHolds();
      const [hold] = holds.hold({ protocol: 'tcp', addresses: ['::'], port: 0, owner: 'a' });
      holds.add({ ...hold, relay: { address: '127.0.0.1', port: 80 } });
      process.stdout.write('over');`;
    const args = ['--input-type=module', '-e', script];
    expect((await execa(process.execPath, args, { timeout: 20_000 })).stdout).toBe('over');
  });
});

describe('the relay of a UDP port before somebody asks', () => {
  const socketsMade = () => vi.mocked(createSocket).mock.calls.length;

  it('makes sockets for the first datagram, and for no other port', async () => {
    await using opened = new Opened();
    const server = await opened.udp('127.0.0.1');
    server.on('message', (data, from) => server.send(data, from.port, from.address));
    const client = await opened.udp('::1');
    const { address, port } = server.address();
    const before = socketsMade();
    const holds = [1, 2, 3].map(() => opened.relayed('udp', { address, port }).hold);
    expect(socketsMade()).toBe(before);
    const answered = once(client, 'message');
    client.send('hello', holds[1]?.port ?? 0, '::1');
    await answered;
    // One that listens and one that asks the container, and on a host with several addresses one for each.
    const forOne = socketsMade() - before;
    expect(forOne).toBeGreaterThanOrEqual(2);
    const again = once(client, 'message');
    client.send('again', holds[1]?.port ?? 0, '::1');
    await again;
    expect(socketsMade() - before).toBe(forOne);
  });

  it('loses none of the datagrams that come before it reads, nor their order', async () => {
    await using opened = new Opened();
    const server = await opened.udp('127.0.0.1');
    const heard: string[] = [];
    server.on('message', data => heard.push(data.toString().slice(0, 2)));
    const { address, port } = server.address();
    const { hold } = opened.relayed('udp', { address, port });
    // They have come when the event loop is free again.
    execFileSync(process.execPath, ['-e', datagrams(hold.port, 30)]);
    await expect.poll(() => heard).toEqual(Array.from({ length: 30 }, (_, i) => String(i).padStart(2, '0')));
  });

  it('serves one that came before it was a relay', async () => {
    await using opened = new Opened();
    const server = await opened.udp('127.0.0.1');
    const heard = once(server, 'message');
    const { address, port } = server.address();
    const { holds, hold } = opened.hold('udp');
    execFileSync(process.execPath, ['-e', datagrams(hold.port, 1)]);
    holds.add({ ...hold, relay: { address, port } });
    expect(String((await heard)[0])).toMatch(/^00/);
  });

  it('gives its port back', async () => {
    await using opened = new Opened();
    const { holds, hold } = opened.relayed('udp', { address: '127.0.0.1', port: 9 });
    const before = socketsMade();
    await holds.delete(hold);
    expect(socketsMade()).toBe(before);
    expect((await opened.udp('::', hold.port)).address().port).toBe(hold.port);
  });
});

/** A script that sends datagrams of 1000 bytes that begin with their number. */
const datagrams = (port: number, count: number): string =>
  `const socket = require('dgram').createSocket('udp6');
  let left = ${count};
  for (let i = 0; i < ${count}; i++)
    socket.send(String(i).padStart(2, '0').padEnd(1000, 'x'), ${port}, '::1', () => --left || socket.close());`;

/** A script that makes connections, says hello on each and ends. */
const clients = (port: number, count: number): string =>
  `for (let i = 0; i < ${count}; i++) {
    const client = require('net').connect(${port}, '::1', () => client.end('hello', () => client.destroy()));
  }`;
