/**
 * Connects to ports of an address and says which of them answered with what. Run on a lab node as
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

const answers: Record<string, string | null> = {};
for (const port of ports) answers[port] = await knock(Number(port));
process.stdout.write(JSON.stringify(answers));
