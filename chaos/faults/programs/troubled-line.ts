/**
 * Stands between an engine and tsnet: `node troubled-line.ts HOW SOCKET BEHIND`. It listens on SOCKET and passes every request on
 * to the one BEHIND, but not as it should:
 *
 *   repeat        each request is sent twice, one after the other, and the second answer is passed back; but not for an address or a
 *                 pool of the driver's choice
 *   cut-request   every third request breaks off half way through its body, for tsnet and for the engine
 *   cut-answer    every third request is answered by tsnet, and the line breaks before the engine hears it
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';

const [how, socket = '', behind = ''] = process.argv.slice(2);
/** Of the calls that change something: the rest is worth no fault. */
const EVERY = 3;
let changing = 0;

interface Answer {
  readonly status: number;
  readonly body: string;
}

async function pass({ method, url, headers }: IncomingMessage, body: string): Promise<Answer> {
  const call = request({ socketPath: behind, agent: false, method, path: url, headers });
  call.end(body);
  const [answer] = (await once(call, 'response')) as [IncomingMessage];
  return { status: answer.statusCode ?? 0, body: await text(answer) };
}

/** Sends the head and half of the body, and hangs up. */
async function passHalf({ method, url, headers }: IncomingMessage, body: string): Promise<void> {
  const call = request({ socketPath: behind, agent: false, method, path: url, headers });
  call.on('error', () => undefined);
  const half = body.slice(0, body.length / 2);
  await new Promise(done => call.write(half, done));
  call.destroy();
}

/** What the driver chooses is another thing every time, and nobody would ever give the first one back. */
const isChosen = (url: string, body: string): boolean =>
  (url === '/IpamDriver.RequestAddress' && /"Address":\s*""/.test(body)) ||
  (url === '/IpamDriver.RequestPool' && /"Pool":\s*""/.test(body));

const isChange = (url: string): boolean =>
  /\.(Create|Delete|Join|Leave|Request|Release|Program|Revoke)/.test(url);

async function answer(from: IncomingMessage, to: ServerResponse): Promise<void> {
  const { url = '' } = from;
  const body = await text(from);
  if (isChange(url)) changing += 1;
  const isCut = isChange(url) && changing % EVERY === 0;
  if (how === 'cut-request' && isCut) {
    await passHalf(from, body);
    to.destroy();
    return;
  }
  if (how === 'repeat' && !isChosen(url, body)) await pass(from, body);
  const passed = await pass(from, body);
  if (how === 'cut-answer' && isCut) to.destroy();
  else to.writeHead(passed.status, { 'content-type': 'application/json' }).end(passed.body);
}

const server = createServer({ requireHostHeader: false, keepAliveTimeout: 0 }, (from, to) => {
  answer(from, to).catch(() => to.destroy());
});
server.listen(socket, () => process.stdout.write('listening\n'));
