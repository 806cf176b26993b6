/** Between an engine and tsnet: hands every call on and prints it, with its answer, as one line of a trace. */
import { existsSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { CallStep } from './trace.ts';

const [, , listenPath = '', daemonPath = ''] = process.argv;

async function read(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** @returns status and body of the daemon's answer */
const pass = (path: string, body: string) =>
  new Promise<[number, string]>((resolve, reject) => {
    const headers = { 'Content-Length': Buffer.byteLength(body) };
    const outgoing = request({ socketPath: daemonPath, method: 'POST', path, headers }, response => {
      read(response).then(text => resolve([response.statusCode ?? 0, text]), reject);
    });
    outgoing.on('error', reject).end(body);
  });

const server = createServer(async (incoming, outgoing) => {
  const body = await read(incoming);
  const asked = body === '' ? {} : { body: JSON.parse(body) };
  // Of the moment of the call: a container that starts has a sandbox yet, or has none.
  const { SandboxKey } = (asked.body ?? {}) as { SandboxKey?: string };
  const sandbox = SandboxKey === undefined ? {} : { sandbox: existsSync(SandboxKey) };
  const [status, text] = await pass(incoming.url ?? '', body);
  const call = (incoming.url ?? '').slice(1);
  const step: CallStep = { call, ...asked, ...sandbox, status, answer: JSON.parse(text) };
  process.stdout.write(`${JSON.stringify(step)}\n`);
  outgoing.writeHead(status, { 'Content-Length': Buffer.byteLength(text) }).end(text);
});
server.keepAliveTimeout = 0;
rmSync(listenPath, { force: true });
server.listen(listenPath, () => process.stdout.write('recording\n'));
