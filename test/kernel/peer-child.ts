/**
 * Servers and connections of a test, to be run in a network namespace: see peer.ts. Answers are printed as one line of
 * JSON, once at the beginning and once for each line on the standard input, at whose end the process ends.
 */
import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';
import readline from 'node:readline';
import type { Exchange, PeerPlan } from './peer.ts';

const { serve = [], exchanges = [] } = JSON.parse(process.argv[2] ?? '{}') as PeerPlan;
const udpKind = (address: string) => (address.includes(':') ? 'udp6' : 'udp4');

for (const { protocol, address, port, says } of serve) {
  if (protocol === 'tcp') {
    const server = net.createServer(socket => socket.on('error', () => {}).write(says));
    await once(server.listen(port, address), 'listening');
  } else {
    const server = dgram.createSocket(udpKind(address));
    server.on('message', (_, from) => server.send(says, from.port, from.address));
    server.bind(port, address);
    await once(server, 'listening');
  }
}

/** Begins an exchange. @returns how to ask again, by the same connection */
async function begin({ protocol, from, to, port }: Exchange): Promise<() => Promise<string>> {
  if (protocol === 'tcp') {
    const socket = net.connect({ host: to, port, ...(from === undefined ? {} : { localAddress: from }) });
    const answer = once(socket, 'data', { signal: AbortSignal.timeout(2000) }).then(String, wordOf);
    return () => answer;
  }
  const socket = dgram.createSocket(udpKind(to));
  await new Promise<void>(resolve => socket.bind(0, from, resolve));
  return async () => {
    socket.send('?', port, to);
    const answered = once(socket, 'message', { signal: AbortSignal.timeout(2000) });
    return answered.then(([text]) => String(text), wordOf);
  };
}

const wordOf = (error: { code?: string; name: string }): string =>
  typeof error.code === 'string' ? error.code : error.name;

const asks = await Promise.all(exchanges.map(begin));
const print = async () => console.log(JSON.stringify(await Promise.all(asks.map(ask => ask()))));
await print();
for await (const _ of readline.createInterface(process.stdin)) await print();
process.exit();
