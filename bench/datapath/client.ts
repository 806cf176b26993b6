/**
 * Generates traffic on order: `node client.ts SOCKET`. Each connection to the Unix socket brings an order and takes
 * what came out of it, or `error`, as JSON.
 */

import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { goFirst } from './cores.ts';
import { generate, type Order } from './traffic.ts';

const [socket] = process.argv.slice(2);

goFirst();
createServer({ allowHalfOpen: true }, async control => {
  const order = JSON.parse(await text(control)) as Order;
  control.end(JSON.stringify(outcome(order)));
}).listen(socket, () => process.stdout.write('listening\n'));

function outcome(order: Order) {
  try {
    return generate(order);
  } catch (error) {
    return { error: String(error) };
  }
}
