import type { RemoteInfo, Socket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { describe, expect, it, vi } from 'vitest';
import { bindPort } from '../../src/kernel/ports/bind-port.ts';
import type { RelayTarget } from '../../src/relay/relay.ts';
import { startUdpRelay } from '../../src/relay/udp-relay.ts';
import { Opened } from './support.ts';

// The clients of these tests are on this host, which is served always: here it has no address of its own.
vi.mock('../../src/relay/relay.ts', async original => {
  const real = await original<typeof import('../../src/relay/relay.ts')>();
  return { ...real, admission: (target: RelayTarget) => real.admission(target, () => []) };
});

/** What a socket has got, in order. */
function inbox(socket: Socket): { text: string; from: RemoteInfo }[] {
  const messages: { text: string; from: RemoteInfo }[] = [];
  socket.on('message', (data, from) => messages.push({ text: data.toString(), from }));
  return messages;
}

/** A server that answers with what it was asked. */
async function echo(opened: Opened, address = '127.0.0.1') {
  const socket = await opened.udp(address);
  const seen = inbox(socket);
  socket.on('message', (data, from) => socket.send(`echo ${data}`, from.port, from.address));
  return { address, port: socket.address().port, seen };
}

/** Local ports of UDP sockets of the machine. */
const openPorts = async (): Promise<number[]> =>
  [...(await readFile('/proc/net/udp', 'utf8')).matchAll(/^ *\d+: [0-9A-F]+:([0-9A-F]{4})/gm)].map(match =>
    Number.parseInt(match[1] ?? '', 16),
  );

/** Bytes that wait to be read from the UDP socket of a port. */
const waiting = async (port: number): Promise<number> => {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const row = new RegExp(`:${hex} [0-9A-F]+:0000 [0-9A-F]+ [0-9A-F]+:([0-9A-F]+) `);
  return Number.parseInt((await readFile('/proc/net/udp6', 'utf8')).match(row)?.[1] ?? '1', 16);
};

describe('the relay of a UDP port', () => {
  it.each(['127.0.0.1', '::1'])(
    "passes each client's datagrams on by a socket of its own, and answers to it: to %s",
    async address => {
      await using opened = new Opened();
      const { seen, ...server } = await echo(opened, address);
      const { hold } = opened.relayed('udp', server);
      const clients = await Promise.all([1, 2].map(() => opened.udp('::1')));
      const boxes = clients.map(inbox);
      for (const text of ['a', 'b']) {
        clients.forEach((client, i) => {
          client.send(`${text}${i}`, hold.port, '::1');
        });
      }
      await expect
        .poll(() => boxes.map(box => box.map(({ text }) => text)))
        .toEqual([
          ['echo a0', 'echo b0'],
          ['echo a1', 'echo b1'],
        ]);
      expect(new Set(seen.map(({ from }) => from.port)).size).toBe(2);
      for (const box of boxes) {
        for (const { from } of box) expect([from.address, from.port]).toEqual(['::1', hold.port]);
      }
    },
  );

  it('lives on when nothing answers in the container yet', async () => {
    await using opened = new Opened();
    const reserved = await opened.udp('127.0.0.2');
    const { port } = reserved.address();
    const { hold } = opened.relayed('udp', { address: '127.0.0.1', port });
    const client = await opened.udp('::1');
    const box = inbox(client);
    // Each but the first meets the refusal (ICMP) of the one before it.
    for (let i = 0; i < 3; i++) client.send('x', hold.port, '::1');
    const server = await opened.udp('127.0.0.1', port);
    server.on('message', (_, from) => server.send('here', from.port, from.address));
    await expect
      .poll(() => {
        client.send('again', hold.port, '::1');
        return box.at(-1)?.text;
      })
      .toBe('here');
  });

  it('serves only the clients that it is to serve', async () => {
    await using opened = new Opened();
    const { seen, ...server } = await echo(opened);
    const { holds, hold } = opened.relayed('udp', { ...server, allowFrom: ['2001:db8::/32'] });
    const refused = await opened.udp('::1');
    const box = inbox(refused);
    await new Promise(sent => refused.send('refused', hold.port, '::1', sent));
    await expect.poll(() => waiting(hold.port)).toBe(0);
    holds.add({ ...hold, relay: { ...server, allowFrom: ['::1/128'] } });
    await expect
      .poll(() => {
        refused.send('served', hold.port, '::1');
        return box.at(-1)?.text;
      })
      .toBe('echo served');
    expect(new Set(seen.map(({ text }) => text))).toEqual(new Set(['served']));
  });

  it('excludes others from the port, and gives it back at once', async () => {
    await using opened = new Opened();
    const { seen: _, ...server } = await echo(opened);
    const { holds, hold } = opened.relayed('udp', server);
    expect(() => bindPort({ ...hold, address: '::' })).toThrow(/EADDRINUSE/);
    expect(() => bindPort({ ...hold, address: '::' }, { reuse: true })).toThrow(/EADDRINUSE/);
    await holds.delete(hold);
    const again = await opened.udp('::', hold.port);
    expect(again.address().port).toBe(hold.port);
  });

  it('forgets clients that are idle, and of too many the one that has been idle for longest', async () => {
    await using opened = new Opened();
    const { seen, ...server } = await echo(opened);
    const bound = bindPort({ protocol: 'udp', address: '::', port: 0 });
    if (typeof bound === 'string') throw new Error('these tests need IPv6');
    const relay = startUdpRelay(bound.fd, {
      place: { address: '::', port: bound.port },
      target: server,
      limits: { idle: 2000, clients: 2 },
    });
    const clients = await Promise.all([0, 1, 2].map(() => opened.udp('::1')));
    const boxes = clients.map(inbox);
    const ask = async (i: number, text: string) => {
      clients[i]?.send(text, bound.port, '::1');
      await expect.poll(() => boxes[i]?.at(-1)?.text).toBe(`echo ${text}`);
      return seen.at(-1)?.from.port ?? 0;
    };
    const first = await ask(0, 'one');
    const second = await ask(1, 'two');
    expect(await ask(0, 'three')).toBe(first);
    const third = await ask(2, 'four');
    await expect.poll(openPorts).not.toContain(second);
    expect(await openPorts()).toEqual(expect.arrayContaining([first, third]));
    await expect.poll(openPorts, { timeout: 10_000 }).not.toContain(first);
    await expect.poll(openPorts, { timeout: 10_000 }).not.toContain(third);
    const again = await ask(0, 'five');
    await relay.close();
    await expect.poll(openPorts).not.toContain(again);
  });
});
