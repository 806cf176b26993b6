/**
 * One connection after the other, blocking: `node server.ts PORT`. The first byte of a connection says what it is for,
 * see Talk. It ends only by a signal.
 */

import { goFirst, runOn, SERVER_CORE, takeTurns } from './cores.ts';
import { accept, close, listen, receive, send } from './sockets.ts';
import { CHUNK, Talk } from './talk.ts';

goFirst();
runOn(SERVER_CORE);
takeTurns(true);
const listener = listen(Number(process.argv[2]));
const buffer = Buffer.allocUnsafeSlow(CHUNK);
process.stdout.write('listening\n');

for (;;) {
  const fd = accept(listener);
  try {
    answer(fd);
  } catch {
    // The client gave up, and says so itself.
  }
  close(fd);
}

function answer(fd: number): void {
  const first = receive(fd, buffer);
  const talk = buffer[0];
  if (talk === Talk.stream) {
    takeTurns(false);
    let total = first;
    for (let length = first; length > 0; total += length) length = receive(fd, buffer);
    const count = Buffer.alloc(8);
    count.writeBigUInt64LE(BigInt(total));
    send(fd, count);
    takeTurns(true);
    return;
  }
  for (let length = first; length > 0; length = receive(fd, buffer)) {
    send(fd, buffer.subarray(0, length));
    // The end that closes first remembers the connection for a minute: not the client, it would run out of ports.
    if (talk === Talk.once) return;
  }
}
