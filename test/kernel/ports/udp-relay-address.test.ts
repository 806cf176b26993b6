import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { type TestNamespace, testNamespace } from '../namespace.ts';

const moduleAt = (path: string) => JSON.stringify(new URL(`../../../src/${path}`, import.meta.url).pathname);

/** Beginning of a script in the namespace: ports that are relayed to a server, which answers with what it was sent. */
const PRELUDE = `
  import { execFileSync } from 'node:child_process';
  import { createSocket } from 'node:dgram';
  import { once } from 'node:events';
  import { readdirSync, readFileSync } from 'node:fs';
  import { bindPort } from ${moduleAt('kernel/ports/bind-port.ts')};
  import { PortHolds } from ${moduleAt('kernel/ports/port-holds.ts')};
  import { startUdpRelay } from ${moduleAt('relay/udp-relay.ts')};
  const server = createSocket('udp4').bind(7000, '127.0.0.1');
  const clientsOfServer = [];
  server.on('message', (data, from) => {
    clientsOfServer.push(from.port);
    server.send(data, from.port, from.address);
  });
  await once(server, 'listening');
  const relay = port => new PortHolds().add({ protocol: 'udp', address: '::', port, owner: 'a',
    relay: { address: '127.0.0.1', port: 7000 } });
  const clientAt = async address => {
    const client = createSocket('udp6').bind(0, address);
    await once(client, 'listening');
    return client;
  };`;

async function run(ns: TestNamespace, script: string): Promise<string> {
  const args = [`--net=${ns.path}`, process.execPath, '--input-type=module', '-e', PRELUDE + script];
  return (await execa('nsenter', args, { timeout: 30_000 })).stdout;
}

describe('the relay of a UDP port on a host with several addresses', () => {
  it('answers from the address that was asked, be it new', async () => {
    await using ns = await testNamespace();
    for (const host of [1, 2, 3]) await ns.ip('address', 'add', `2001:db8::${host}/128`, 'dev', 'lo');
    const answers = await run(
      ns,
      `
      relay(7001);
      const ask = async (from, to) => {
        const client = await clientAt(from);
        // Again and again: an address that has just been added is not there at once.
        const sending = setInterval(() => client.send('x', 7001, to), 20);
        const [, answer] = await once(client, 'message');
        clearInterval(sending);
        client.close();
        return answer.address;
      };
      const answers = [];
      for (const to of ['2001:db8::1', '2001:db8::2']) answers.push(await ask('2001:db8::3', to));
      answers.push(await ask('::1', '::1'));
      execFileSync('ip', ['address', 'add', '2001:db8::4/128', 'dev', 'lo']);
      // It is found when a client comes, though not more often than once a second.
      const deadline = performance.now() + 20_000;
      while ((await ask('2001:db8::3', '2001:db8::4')) !== '2001:db8::4' && performance.now() < deadline);
      answers.push(await ask('2001:db8::3', '2001:db8::4'));
      execFileSync('ip', ['address', 'delete', '2001:db8::2/128', 'dev', 'lo']);
      answers.push(await ask('2001:db8::3', '2001:db8::1'));
      console.log(answers.join(' '));
      process.exit();`,
    );
    expect(answers).toBe('2001:db8::1 2001:db8::2 ::1 2001:db8::4 2001:db8::1');
  });

  it('answers from it from the first datagram on', async () => {
    await using ns = await testNamespace();
    for (const host of [1, 2, 3]) await ns.ip('address', 'add', `2001:db8::${host}/128`, 'dev', 'lo');
    const answers = await run(
      ns,
      `
      const answers = [];
      for (const [port, to] of [[7001, '2001:db8::1'], [7002, '2001:db8::2'], [7003, '2001:db8::3'], [7004, '::1']]) {
        const client = await clientAt(to === '::1' ? to : '2001:db8::3');
        relay(port);
        client.send('x', port, to);
        answers.push((await once(client, 'message'))[1].address);
      }
      console.log(answers.join(' '));
      process.exit();`,
    );
    expect(answers).toBe('2001:db8::1 2001:db8::2 2001:db8::3 ::1');
  });

  it('knows a client of a link-local address again after its first datagram', async () => {
    await using ns = await testNamespace();
    await ns.sh(
      'ip link add near type veth peer name far; ip link set far up; ip link set near up; ip addr add fe80::9/64 dev near nodad',
    );
    const seen = await run(
      ns,
      `
      relay(7001);
      const client = await clientAt('fe80::9%near');
      for (let i = 0; i < 3; i++) {
        client.send('x', 7001, 'fe80::9%near');
        await once(client, 'message');
      }
      console.log(clientsOfServer.length, new Set(clientsOfServer).size);
      process.exit();`,
    );
    expect(seen).toBe('3 1');
  });

  it('has one socket again when its clients are idle, and answers as at first', async () => {
    await using ns = await testNamespace();
    for (const host of [1, 2, 3]) await ns.ip('address', 'add', `2001:db8::${host}/128`, 'dev', 'lo');
    const seen = await run(
      ns,
      `
      const place = { address: '::', port: 7001 };
      const { fd } = bindPort({ ...place, protocol: 'udp' });
      const target = { address: '127.0.0.1', port: 7000 };
      const served = startUdpRelay(fd, { place, target, limits: { idle: 300, clients: 9 } });
      const client = await clientAt('2001:db8::3');
      const sockets = () => readFileSync('/proc/net/udp6', 'utf8').split(':1B59 ').length - 1;
      const until = async is => {
        const deadline = performance.now() + 20_000;
        while (!is() && performance.now() < deadline) await new Promise(resolve => setTimeout(resolve, 10));
      };
      const descriptors = () => readdirSync('/proc/self/fd').length;
      const [seen, open] = [[], descriptors()];
      for (const to of ['2001:db8::1', '2001:db8::2']) {
        client.send('x', 7001, to);
        seen.push((await once(client, 'message'))[1].address, sockets());
        await until(() => sockets() === 1);
        seen.push(sockets(), descriptors() - open);
      }
      await served.close();
      console.log(seen.join(' '), sockets(), descriptors() - open);
      process.exit();`,
    );
    expect(seen).toBe('2001:db8::1 4 1 0 2001:db8::2 4 1 0 0 -1');
  });
});
