import { createSocket, type RemoteInfo } from 'node:dgram';
import { openSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { setns } from '../../../src/kernel/libc.ts';
import type { Answer, Order } from './orders.ts';

/** The thread of one place: it enters the place's network namespace for good, so its sockets are all in there. */
const CLONE_NEWNET = 0x40000000;
const { path, name } = workerData as { path: string; name: string };
if (setns(openSync(path, 'r'), CLONE_NEWNET) < 0) throw new Error(`${path} cannot be entered`);

const plain = (address: string): string => address.replace(/^::ffff:/, '');
const said = (address: string): string => `${name} saw ${plain(address)}`;
const open = new Map<number, Socket>();

/** Says to every packet, or every piece of a stream, who it is and whom it came from. */
function serve(port: number, address: string): Promise<void> {
  const server = createServer(socket => {
    socket.on('error', () => socket.destroy());
    socket.on('data', () => socket.write(said(socket.remoteAddress ?? '')));
  });
  const datagrams = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4' });
  datagrams.on('message', (_: Buffer, from: RemoteInfo) =>
    datagrams.send(said(from.address), from.port, from.address),
  );
  return new Promise(resolve => {
    server.listen(port, address, () => datagrams.bind(port, address, resolve));
  });
}

function dial(id: number, address: string, port: number, patience: number): Promise<string> {
  const socket = connect({ port, host: address });
  open.set(id, socket);
  return new Promise(resolve => {
    const timer = setTimeout(() => resolve('silence'), patience);
    const end = (text: string) => {
      clearTimeout(timer);
      resolve(text);
    };
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? 'error'));
    socket.on('connect', () => end('connected'));
  });
}

/** One word over a connection that is there. */
function say(id: number, patience: number): Promise<string> {
  const socket = open.get(id);
  if (!socket) return Promise.resolve('no connection');
  return new Promise(resolve => {
    const timer = setTimeout(() => resolve('silence'), patience);
    socket.once('data', data => {
      clearTimeout(timer);
      resolve(data.toString());
    });
    socket.write('?');
  });
}

function hangUp(id: number): void {
  open.get(id)?.destroy();
  open.delete(id);
}

async function askStream(id: number, address: string, port: number, patience: number): Promise<string> {
  const connected = await dial(id, address, port, patience);
  const answer = connected === 'connected' ? await say(id, patience) : connected;
  hangUp(id);
  return answer;
}

function askDatagram(address: string, port: number, patience: number): Promise<string> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  return new Promise(resolve => {
    const end = (text: string) => {
      clearTimeout(timer);
      socket.close();
      resolve(text);
    };
    const timer = setTimeout(end, patience, 'silence');
    // Connected, so that an answer from another address than the one asked is none.
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? 'error'));
    socket.on('message', data => end(data.toString()));
    socket.connect(port, address, () => socket.send('?'));
  });
}

async function obey(order: Order): Promise<string> {
  switch (order.order) {
    case 'serve':
      await serve(order.port, order.address);
      return 'serving';
    case 'ask':
      return order.protocol === 'tcp'
        ? askStream(order.id, order.address, order.port, order.patience)
        : askDatagram(order.address, order.port, order.patience);
    case 'dial':
      return dial(order.connection, order.address, order.port, order.patience);
    case 'say':
      return say(order.connection, order.patience);
    case 'hang up':
      hangUp(order.connection);
      return 'gone';
  }
}

parentPort?.on('message', async (order: Order) => {
  const answer: Answer = { id: order.id, text: await obey(order) };
  parentPort?.postMessage(answer);
});
