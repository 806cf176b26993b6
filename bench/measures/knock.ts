/**
 * Connects to ports of an address, all at once, and says which of them answered with what. Run on a lab node as
 * `node knock.ts ADDRESS PORT…`; prints a JSON object of words by port, null where nobody answered.
 */
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

const [address = '', ...ports] = process.argv.slice(2);

async function knock(port: number): Promise<string | null> {
  const socket = connect({ host: address, port, timeout: 2000 });
  socket.once('timeout', () => socket.destroy(new Error('silent')));
  try {
    return (await text(socket)).trim();
  } catch {
    return null;
  }
}

const answers = ports.map(async port => [port, await knock(Number(port))] as const);
process.stdout.write(JSON.stringify(Object.fromEntries(await Promise.all(answers))));
