import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { Opened } from './support.ts';

const MODULE = JSON.stringify(new URL('../../src/kernel/ports/port-holds.ts', import.meta.url).pathname);
/** Files that the process with the relay may have open, and of them those that its clients are to leave. */
const LIMIT = 400;
const LEFT = 100;
/** Each takes two descriptors of a TCP relay, and one of a UDP relay. */
const CLIENTS = 500;

/** A process that relays a port to one of this process's, says which it is, and, when asked, how many files it could open. */
async function relayAt(protocol: 'tcp' | 'udp', port: number) {
  const script = `
    import { closeSync, openSync } from 'node:fs';
    import { createInterface } from 'node:readline';
    import { PortHolds } from ${MODULE};
    const holds = new PortHolds();
    const [hold] = holds.hold({ protocol: '${protocol}', addresses: ['::'], port: 0, owner: 'a' });
    holds.add({ ...hold, relay: { address: '127.0.0.1', port: ${port} } });
    console.log(hold.port);
    createInterface({ input: process.stdin }).on('line', () => {
      const open = [];
      try { for (;;) open.push(openSync('/dev/null')); } catch {}
      for (const fd of open) closeSync(fd);
      console.log(open.length);
    });`;
  const args = [`--nofile=${LIMIT}:${LIMIT}`, process.execPath, '--input-type=module', '-e', script];
  const child = spawn('prlimit', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const [first] = await once(lines, 'line');
  return {
    port: Number(first),
    async couldOpen(): Promise<number> {
      const answer = once(lines, 'line');
      child.stdin.write('\n');
      return Number((await answer)[0]);
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

describe('a crowd of clients leaves a relay the descriptors that its process needs', () => {
  it('of a TCP port; those that are served go on, and others are when there is room', async () => {
    await using opened = new Opened();
    const { port } = await opened.server(socket => socket.pipe(socket));
    await using relay = await relayAt('tcp', port);
    const first = await opened.client(relay.port);
    let refused = 0;
    const clients = Array.from({ length: CLIENTS }, () =>
      connect({ port: relay.port, host: '::1' }).on('error', () => (refused += 1)),
    );
    await expect.poll(() => refused).toBeGreaterThan(CLIENTS - (LIMIT - LEFT) / 2);
    expect(await relay.couldOpen()).toBeGreaterThanOrEqual(LEFT - 10);
    first.write('still');
    expect(String((await once(first, 'data'))[0])).toBe('still');
    for (const client of clients) client.destroy();
    await expect.poll(() => relay.couldOpen()).toBeGreaterThan(LIMIT - LEFT);
    const later = await opened.client(relay.port);
    later.write('later');
    expect(String((await once(later, 'data'))[0])).toBe('later');
  });

  it('of a UDP port', async () => {
    await using opened = new Opened();
    const server = await opened.udp('127.0.0.1');
    let asked = 0;
    server.on('message', (data, from) => {
      asked += 1;
      server.send(data, from.port, from.address);
    });
    await using relay = await relayAt('udp', server.address().port);
    const first = await opened.udp('::1');
    const answers: string[] = [];
    first.on('message', data => answers.push(String(data)));
    first.send('first', relay.port, '::1');
    await expect.poll(() => answers).toEqual(['first']);
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => opened.udp('::1')));
    for (const client of clients) client.send('x', relay.port, '::1');
    await expect.poll(() => asked).toBeGreaterThan(100);
    expect(await relay.couldOpen()).toBeGreaterThanOrEqual(LEFT - 10);
    first.send('again', relay.port, '::1');
    await expect.poll(() => answers).toEqual(['first', 'again']);
  });
});
