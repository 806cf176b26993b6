import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { PortHold } from '../../src/host-state/types.ts';
import { PortHolds } from '../../src/kernel/ports/port-holds.ts';
import type { RelayTarget } from '../../src/relay/relay.ts';

/** What a test opens, closed in reverse order at its end. */
export class Opened implements AsyncDisposable {
  readonly #closers: (() => unknown)[] = [];

  /** A hold of an ephemeral port on every IPv6 address, without a relay yet. */
  hold(protocol: 'tcp' | 'udp'): { holds: PortHolds; hold: PortHold } {
    const holds = new PortHolds();
    this.#closers.push(() => holds.close());
    const [hold] = holds.hold({ protocol, addresses: ['::'], port: 0, owner: 'a' });
    if (hold === undefined) throw new Error('these tests need IPv6');
    return { holds, hold };
  }

  relayed(protocol: 'tcp' | 'udp', relay: RelayTarget): { holds: PortHolds; hold: PortHold } {
    const { holds, hold } = this.hold(protocol);
    holds.add({ ...hold, relay });
    return { holds, hold: { ...hold, relay } };
  }

  /** A server on 127.0.0.1, as the container. */
  async server(onConnection: (socket: Socket) => void): Promise<RelayTarget & { server: Server }> {
    const sockets = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true }, socket => {
      sockets.add(socket);
      socket.on('error', () => {});
      onConnection(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#closers.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return { server, address: '127.0.0.1', port: (server.address() as AddressInfo).port };
  }

  async client(port: number): Promise<Socket> {
    const socket = connect({ port, host: '::1', allowHalfOpen: true });
    this.#closers.push(() => socket.destroy());
    await once(socket, 'connect');
    return socket;
  }

  async udp(address: string, port = 0): Promise<UdpSocket> {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    this.#closers.push(() => socket.close());
    socket.bind(port, address);
    await once(socket, 'listening');
    return socket;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#closers.reverse()) await close();
  }
}

/** All that comes until the other side ends. */
export async function textOf(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** How a connection ends that is made now; one that is reset at once may never be seen to have been made. */
export function fate(port: number): Promise<string> {
  return ending(connect({ port, host: '::1', allowHalfOpen: true }));
}

/** How a connection ends: the code of its error, or `end`. */
export const ending = (socket: Socket): Promise<string> =>
  new Promise(resolve => {
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.on('end', () => resolve('end'));
    socket.resume();
  });
