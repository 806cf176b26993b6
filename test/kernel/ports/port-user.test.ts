import { describe, expect, it } from 'vitest';
import { portUser } from '../../../src/kernel/ports/port-user.ts';
import { portHost } from './support.ts';

const tcp = (address: string, port: number) => ({ protocol: 'tcp', address, port }) as const;
const udp = (address: string, port: number) => ({ protocol: 'udp', address, port }) as const;

const listening = (address: string, port: number) =>
  `require('net').createServer().listen(${port}, '${address}', ready);`;

describe('portUser', () => {
  it('names the process that listens, by every address that it excludes', async () => {
    await using host = await portHost();
    const v4 = await host.process(listening('127.0.0.1', 80));
    const v6 = await host.process(listening('2001:db8::1', 80).replace('2001:db8::1', '::1'));
    const both = await host.process(`require('net').createServer().listen(81, ready);`);
    const user = (address: string, port: number) => host.run(() => portUser(tcp(address, port)));
    expect(user('0.0.0.0', 80)).toBe(`process node (pid ${v4.pid})`);
    expect(user('127.0.0.1', 80)).toBe(`process node (pid ${v4.pid})`);
    expect(user('127.0.0.2', 80)).toBe('another process');
    expect(user('::', 80)).toBe(`process node (pid ${v6.pid})`);
    expect(user('::1', 80)).toBe(`process node (pid ${v6.pid})`);
    for (const address of ['0.0.0.0', '127.0.0.1', '::', '::1']) {
      expect(user(address, 81)).toBe(`process node (pid ${both.pid})`);
    }
  });

  it('names the process that has a UDP port', async () => {
    await using host = await portHost();
    const script = (type: string, address: string) =>
      `require('dgram').createSocket('${type}').bind(53, '${address}', ready);`;
    const v4 = await host.process(script('udp4', '127.0.0.1'));
    const v6 = await host.process(script('udp6', '::1'));
    const user = (address: string) => host.run(() => portUser(udp(address, 53)));
    expect(user('0.0.0.0')).toBe(`process node (pid ${v4.pid})`);
    expect(user('::')).toBe(`process node (pid ${v6.pid})`);
  });

  it("tells the engine's own publications", async () => {
    await using host = await portHost();
    const as = (name: string, port: number) =>
      `require('fs').writeFileSync('/proc/self/comm', '${name}');${listening('127.0.0.1', port)}`;
    const container = ['-container-ip', '172.17.0.2', '-container-port', '80'];
    await host.process(as('docker-proxy', 80), '-proto', 'tcp', ...container);
    await host.process(as('docker-proxy', 81), '-container-ip', '2001:db8::2', '-container-port', '80');
    await host.process(as('docker-proxy', 82));
    await host.process(as('dockerd', 83));
    const user = (port: number) => host.run(() => portUser(tcp('0.0.0.0', port)));
    expect(user(80)).toBe("the engine's own publication for 172.17.0.2:80 (docker-proxy)");
    expect(user(81)).toBe("the engine's own publication for [2001:db8::2]:80 (docker-proxy)");
    expect(user(82)).toBe("the engine's own publication (docker-proxy)");
    expect(user(83)).toBe("the engine's own publication (dockerd)");
  });

  it('tells a connection from a server', async () => {
    await using host = await portHost();
    await host.process(listening('127.0.0.1', 80));
    const client = await host.process(
      `require('net').connect({ port: 80, host: '127.0.0.1', localPort: 40001 }, ready);`,
    );
    expect(host.run(() => portUser(tcp('0.0.0.0', 40001)))).toBe(
      `a connection of process node (pid ${client.pid})`,
    );
  });

  it('makes names that processes give themselves harmless', async () => {
    await using host = await portHost();
    const { pid } = await host.process(
      `require('fs').writeFileSync('/proc/self/comm', 'a\\nb\\u001b[2J');${listening('127.0.0.1', 80)}`,
    );
    expect(host.run(() => portUser(tcp('0.0.0.0', 80)))).toBe(`process a?b?[2J (pid ${pid})`);
  });

  it('knows nobody for a port that is free, or of a protocol without a list', async () => {
    await using host = await portHost();
    expect(host.run(() => portUser(tcp('0.0.0.0', 80)))).toBe('another process');
    expect(host.run(() => portUser({ protocol: 'sctp', address: '::', port: 80 }))).toBe('another process');
  });
});
