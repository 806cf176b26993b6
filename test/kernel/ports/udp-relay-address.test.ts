import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { testNamespace } from '../namespace.ts';

describe('the relay of a UDP port on a host with several addresses', () => {
  it('answers from the address that was asked, be it new', async () => {
    await using ns = await testNamespace();
    for (const host of [1, 2, 3]) await ns.ip('address', 'add', `2001:db8::${host}/128`, 'dev', 'lo');
    const module = new URL('../../../src/kernel/ports/port-holds.ts', import.meta.url).pathname;
    const script = `
      import { execFileSync } from 'node:child_process';
      import { createSocket } from 'node:dgram';
      import { once } from 'node:events';
      import { PortHolds } from ${JSON.stringify(module)};
      const server = createSocket('udp4').bind(7000, '127.0.0.1');
      server.on('message', (data, from) => server.send(data, from.port, from.address));
      await once(server, 'listening');
      new PortHolds().add({ protocol: 'udp', address: '::', port: 7001, owner: 'a',
        relay: { address: '127.0.0.1', port: 7000 } });
      const ask = async (from, to) => {
        const client = createSocket('udp6').bind(0, from);
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
      process.exit();`;
    const args = [`--net=${ns.path}`, process.execPath, '--input-type=module', '-e', script];
    expect((await execa('nsenter', args, { timeout: 30_000 })).stdout).toBe(
      '2001:db8::1 2001:db8::2 ::1 2001:db8::4 2001:db8::1',
    );
  });
});
