/**
 * Connects to a socket and keeps the connections: `node silent-clients.ts SOCKET NUMBER`. A third of them says nothing, a third
 * breaks off within the head of a request, a third within its body.
 */
import { once } from 'node:events';
import { connect } from 'node:net';

const [path = '', number = '0'] = process.argv.slice(2);
const HEAD = 'POST /NetworkDriver.CreateNetwork HTTP/1.1\r\nHost: plugin\r\n';
const SAID = ['', HEAD.slice(0, 30), `${HEAD}Content-Length: 500\r\n\r\n{"NetworkID":"`];

for (let k = 0; k < Number(number); k++) {
  const socket = connect(path);
  // That tsnet dies is no concern of theirs.
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(SAID[k % SAID.length] ?? '');
}
process.stdout.write('connected\n');
setInterval(() => undefined, 60_000);
