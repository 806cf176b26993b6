import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import type { PortHold } from '../../../src/host-state/types.ts';
import { PortHolds } from '../../../src/kernel/ports/port-holds.ts';
import { type PortHost, portHost, refusal } from './support.ts';

const BOTH = ['0.0.0.0', '::'] as const;
const tcp = (addresses: readonly string[], port: number, owner = 'a') =>
  ({ protocol: 'tcp', addresses, port, owner }) as const;
const udp = (addresses: readonly string[], port: number, owner = 'a') =>
  ({ protocol: 'udp', addresses, port, owner }) as const;
const sctp = (addresses: readonly string[], port: number, owner = 'a') =>
  ({ protocol: 'sctp', addresses, port, owner }) as const;

const listening = (address: string, port: number) =>
  `require('net').createServer(c => c.resume()).listen(${port}, '${address}', ready);`;

/** What comes of a socket in another process: `ready`, or the code of its error. */
async function attempt(host: PortHost, socket: string): Promise<string> {
  const script = `const ready = () => { console.log('ready'); process.exit(); };
    ${socket.replace(/;$/, '')}.on('error', error => { console.log(error.code); process.exit(); });`;
  return (await execa('nsenter', [`--net=${host.ns.path}`, process.execPath, '-e', script])).stdout;
}

describe('PortHolds', () => {
  it('holds a port on all addresses, keeps it for its owner and gives it back', async () => {
    await using host = await portHost();
    const held = host.hold(tcp(BOTH, 80));
    expect(held).toEqual(BOTH.map(address => ({ protocol: 'tcp', address, port: 80, owner: 'a' })));
    expect(host.hold(tcp(BOTH, 80))).toEqual(held);
    expect(host.holds.list()).toEqual(held);
    expect(host.holds.holderOf({ protocol: 'tcp', address: '127.0.0.1', port: 80 })).toBe('a');
    expect(host.holds.holderOf({ protocol: 'udp', address: '0.0.0.0', port: 80 })).toBeUndefined();

    for (const hold of held) await host.holds.delete({ ...hold, owner: 'b' });
    expect(host.holds.list()).toEqual(held);
    for (const hold of held) await host.holds.delete(hold);
    for (const hold of held) await host.holds.delete(hold);
    expect(host.holds.list()).toEqual([]);
    expect(host.hold(tcp(BOTH, 80, 'b')).map(hold => hold.owner)).toEqual(['b', 'b']);
  });

  it('keeps a port from every other process, with SO_REUSEADDR as well', async () => {
    await using host = await portHost();
    host.hold(tcp(BOTH, 80));
    host.hold(udp(['127.0.0.1', '::1'], 53));
    const taken = 'EADDRINUSE';
    expect(await attempt(host, listening('127.0.0.1', 80))).toBe(taken);
    expect(await attempt(host, listening('::', 80))).toBe(taken);
    for (const reuseAddr of [false, true]) {
      const bind = (type: string, address: string) =>
        `require('dgram').createSocket({ type: '${type}', reuseAddr: ${reuseAddr} }).bind(53, '${address}', ready)`;
      expect(await attempt(host, bind('udp4', '0.0.0.0'))).toBe(taken);
      expect(await attempt(host, bind('udp6', '::1'))).toBe(taken);
      expect(await attempt(host, bind('udp4', '127.0.0.2'))).toBe('ready');
    }
  });

  it('refuses a connection that reaches a held port', async () => {
    await using host = await portHost();
    host.hold(tcp(BOTH, 80));
    for (const address of ['127.0.0.1', '::1']) {
      expect(await attempt(host, `require('net').connect(80, '${address}', ready)`)).toBe('ECONNREFUSED');
    }
  });

  it('does not pass its sockets on to child processes', async () => {
    await using host = await portHost();
    host.hold(tcp(BOTH, 80));
    host.hold(udp(BOTH, 80));
    const { stdout } = await execa('ls', ['-l', '/proc/self/fd'], { stdin: 'ignore', stdout: 'pipe' });
    const inodes = await host.ns.sh('cat /proc/net/udp /proc/net/udp6');
    const held = [...inodes.matchAll(/ (\d+) 2 [0-9a-f]{8,} /g)].map(match => match[1]);
    expect(held).toHaveLength(2);
    for (const inode of held) expect(stdout).not.toContain(`socket:[${inode}]`);
  });

  it('is held on all addresses or on none', async () => {
    await using host = await portHost();
    await host.process(listening('::1', 80));
    expect(refusal(() => host.hold(tcp(BOTH, 80)))).toMatch(/^PORT_TAKEN: port \[::\]:80\/tcp is taken by /);
    expect(host.holds.list()).toEqual([]);
    expect(host.hold(tcp(['0.0.0.0'], 80, 'b'))).toHaveLength(1);
  });

  it('names the owner of a port in the words of the caller', async () => {
    await using host = await portHost({ describeOwner: owner => `container ${owner}` });
    host.hold(tcp(['127.0.0.1'], 80, 'web'));
    expect(refusal(() => host.hold(tcp(['0.0.0.0'], 80, 'b')))).toBe(
      'PORT_TAKEN: port 0.0.0.0:80/tcp is taken by container web',
    );
    expect(refusal(() => host.hold(tcp(['0.0.0.0'], 80, 'web')))).toMatch(/taken by container web$/);
    expect(refusal(() => host.hold(tcp(['127.0.0.1'], 80, 'b')))).toMatch(/taken by container web$/);
    expect(host.hold(tcp(['127.0.0.2'], 80, 'b'))).toHaveLength(1);
  });

  it('refuses addresses that the host does not have', async () => {
    await using host = await portHost();
    for (const address of ['198.18.0.1', '2001:db8::1', 'fe80::1']) {
      expect(refusal(() => host.hold(tcp([address], 80)))).toMatch(
        /^HOST_ADDRESS: port .*:80\/tcp cannot be held/,
      );
      expect(refusal(() => host.hold(tcp([address], 0)))).toMatch(/^HOST_ADDRESS: /);
    }
    expect(refusal(() => host.hold(tcp(['::ffff:198.18.0.1'], 80)))).toMatch(/^ADDRESS_INVALID: /);
    expect(host.holds.list()).toEqual([]);
  });

  it('restores a hold whose address comes later, and which then excludes others', async () => {
    await using host = await portHost();
    for (const address of ['198.18.0.1', '2001:db8::1']) {
      const hold: PortHold = { protocol: 'tcp', address, port: 80, owner: 'a' };
      host.add(hold);
      host.add(hold);
      expect(refusal(() => host.add({ ...hold, owner: 'b' }))).toMatch(/^PORT_TAKEN: .* is taken by a$/);
    }
    expect(host.holds.list()).toHaveLength(2);
    await host.ns.ip('address', 'add', '198.18.0.1/32', 'dev', 'lo');
    expect(await attempt(host, listening('198.18.0.1', 80))).toBe('EADDRINUSE');
  });

  it('chooses one port that is free on all addresses', async () => {
    await using host = await portHost();
    await host.ns.sh('echo "5001 5010" > /proc/sys/net/ipv4/ip_local_port_range');
    for (let port = 5001; port <= 5007; port++) host.hold(tcp(['::1'], port, 'other'));
    const chosen = [1, 2, 3].map(() => host.hold(tcp(BOTH, 0)));
    for (const holds of chosen) {
      expect(holds.map(hold => hold.address)).toEqual(BOTH);
      expect(new Set(holds.map(hold => hold.port)).size).toBe(1);
    }
    expect(chosen.map(([hold]) => hold?.port).sort()).toEqual([5008, 5009, 5010]);
    expect(refusal(() => host.hold(tcp(BOTH, 0)))).toBe(
      'PORTS_EXHAUSTED: no ephemeral tcp port is free on 0.0.0.0 and ::',
    );
    expect(host.hold(tcp(['0.0.0.0'], 0))).toHaveLength(1);
    expect(host.hold(udp(BOTH, 0))).toHaveLength(2);
  });

  it('holds IPv4 ports on a host with IPv6 switched off', async () => {
    await using host = await portHost();
    await host.ns.sh('echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6');
    expect(refusal(() => host.hold(tcp(['::1'], 80)))).toMatch(/^HOST_ADDRESS: /);
    expect(host.hold(tcp(BOTH, 80)).map(hold => hold.address)).toContain('0.0.0.0');
  });

  it('keeps SCTP ports by the same rules, also on a kernel without SCTP', async () => {
    await using host = await portHost();
    expect(host.hold(sctp(BOTH, 3868))).toHaveLength(2);
    expect(host.hold(sctp(BOTH, 3868))).toHaveLength(2);
    expect(refusal(() => host.hold(sctp(['127.0.0.1'], 3868, 'b')))).toBe(
      'PORT_TAKEN: port 127.0.0.1:3868/sctp is taken by a',
    );
    expect(host.hold(tcp(['127.0.0.1'], 3868, 'b'))).toHaveLength(1);
    expect(host.hold(sctp(['127.0.0.1'], 3869, 'b'))).toHaveLength(1);
    expect(refusal(() => host.hold(sctp(BOTH, 3869)))).toMatch(/taken by b$/);
    expect(host.holds.holderOf({ protocol: 'sctp', address: '0.0.0.0', port: 3870 })).toBeUndefined();
    await host.ns.sh('echo "5001 5002" > /proc/sys/net/ipv4/ip_local_port_range');
    const chosen = [1, 2].map(() => host.hold(sctp(BOTH, 0)).map(hold => hold.port));
    expect(chosen.flat().sort()).toEqual([5001, 5001, 5002, 5002]);
    expect(refusal(() => host.hold(sctp(BOTH, 0)))).toMatch(/^PORTS_EXHAUSTED: /);
  });

  it('gets past what is left of the connections of a server that has ended', async () => {
    await using host = await portHost();
    const server = await host.process(`const net = require('net');
      net.createServer(c => c.end()).listen(80, '0.0.0.0', () =>
        net.connect(80, '127.0.0.1').resume().on('close', ready));`);
    expect(refusal(() => host.hold(tcp(['0.0.0.0'], 80)))).toMatch(
      `is taken by process node (pid ${server.pid})`,
    );
    await server.end();
    expect(await host.ns.sh('cat /proc/net/tcp')).toMatch(/ [0-9A-F]{8}:0050 [0-9A-F]{8}:[0-9A-F]{4} 06 /);
    expect(host.hold(tcp(['0.0.0.0'], 80))).toHaveLength(1);
    expect(await attempt(host, listening('0.0.0.0', 80))).toBe('EADDRINUSE');
  });

  it('holds many ports at once and gives all back when it is closed', async () => {
    await using host = await portHost();
    for (let port = 1; port <= 1000; port++)
      host.hold(port % 2 ? tcp(['0.0.0.0'], port) : udp(['0.0.0.0'], port));
    expect(host.holds.list()).toHaveLength(1000);
    await host.holds.close();
    expect(host.holds.list()).toEqual([]);
    const other = new PortHolds();
    for (let port = 1; port <= 1000; port++) host.run(() => other.hold(tcp(['0.0.0.0'], port)));
    await other.close();
  });
});
