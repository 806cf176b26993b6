import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../lab/wait.ts';
import { EchoSeries, installFirewalls, ufw } from './support/host-firewalls.ts';
import { timeUntil } from './support/macvlan-lab.ts';
import { PolicyLab, tcp, udp } from './support/policy-lab.ts';
import { ENGINES } from './support/tsnet-host.ts';

type Open = Record<'tcp' | 'udp' | 'tcp6' | 'udp6' | 'other', boolean>;
const NONE: Open = { tcp: false, udp: false, tcp6: false, udp6: false, other: false };
const ALL: Open = { tcp: true, udp: true, tcp6: true, udp6: true, other: true };

/** What is open after a rule; each has a port of its own. `other` is TCP from a second client, 198.18.0.2. */
const RULES: readonly (readonly [string, Open])[] = [
  ['allow PORT', ALL],
  ['allow PORT/tcp', { ...NONE, tcp: true, tcp6: true, other: true }],
  ['allow PORT/udp', { ...NONE, udp: true, udp6: true }],
  ['allow 22,PORT/tcp', { ...NONE, tcp: true, tcp6: true, other: true }],
  ['allow proto tcp from 198.18.0.2 to any port PORT', { ...NONE, other: true }],
  ['allow from 198.18.0.0/31 to any port PORT', { ...NONE, tcp: true, udp: true }],
  ['allow from fd99::/64 to any port PORT', { ...NONE, tcp6: true, udp6: true }],
  ['allow proto tcp to 198.18.0.11 port PORT', { ...NONE, tcp: true, other: true }],
  ['allow proto tcp to 198.18.0.99 port PORT', NONE],
  ['allow in on eth0 to any port PORT', ALL],
  ['allow in on eth+ to any port PORT proto udp', { ...NONE, udp: true, udp6: true }],
  ['allow in on wlan0 to any port PORT', NONE],
  ['allow proto tcp from any port 1:100 to any port PORT', NONE],
  ['allow log PORT/udp', { ...NONE, udp: true, udp6: true }],
  ['reject PORT', NONE],
  ['route allow PORT', NONE],
];
const RULE_PORTS = RULES.map((_, index) => 8100 + index);

/** Published by a container that has ufw for its judge. To each belongs a port of a process of the host. */
const GUARDED = 8080;
const ofHost = (port: number) => port + 1000;

const SECOND = '198.18.0.2';
/** Clients of whom ufw's list of those to be limited has not heard yet. */
const FRESH = ['198.18.0.3', '198.18.0.4', '198.18.0.5', '198.18.0.6'] as const;
/** From here on ports of rules that only tell that all rules before are in effect. */
const SENTINEL = 20_000;

describe.each(ENGINES)('ufw, engine %s', engine => {
  let lab: PolicyLab;
  let address: string;
  let address6: string;
  let sentinel = SENTINEL;

  const command = (text: string) => ufw(lab.host.host, text);

  /** Runs commands of ufw. `PORT` stands for a published port and the one of the host, one after the other. */
  const rules = async (...commands: string[]) => {
    for (const text of commands) {
      const ports = text.includes('PORT') ? [GUARDED, ofHost(GUARDED)] : [0];
      for (const port of ports) await command(text.replace('PORT', String(port)));
    }
    sentinel += 1;
    await command(`allow ${sentinel}/tcp`);
    const chain = ['list', 'chain', 'inet', 'tsnet', 'ufw4'];
    const known = async () =>
      String((await lab.host.host.exec('nft', chain)).stdout).includes(` ${sentinel} `);
    await waitFor(known, { timeout: 1000, what: `the rules to be known: ${commands.join(', ')}` });
  };

  /** What is open to the LAN at published ports, which has to be what is open at their likes of the host. */
  const open = async (...ports: readonly number[]): Promise<Open[]> => {
    const questions = ports
      .flatMap(port => [port, ofHost(port)])
      .flatMap(port => [
        [`tcp ${port}`, tcp(address, port, '198.18.0.1')],
        [`udp ${port}`, udp(address, port, '198.18.0.1')],
        [`tcp6 ${port}`, tcp(address6, port)],
        [`udp6 ${port}`, udp(address6, port)],
        [`other ${port}`, tcp(address, port, SECOND)],
      ]);
    const answers: Record<string, string> = await lab.ask(lab.lab.lan, Object.fromEntries(questions));
    const openAt = (port: number, server: string) =>
      Object.fromEntries(
        Object.keys(NONE).map(way => [way, answers[`${way} ${port}`]?.startsWith(`${server} `)]),
      );
    return ports.map(port => {
      const found = openAt(port, 'g1');
      expect({ port, ...found }).toEqual({ port, ...openAt(ofHost(port), 'host') });
      return found as Open;
    });
  };

  beforeAll(async () => {
    lab = await PolicyLab.create(engine);
    const { host } = lab.host;
    ({ address, address6 } = host);
    await installFirewalls(host);
    await command('--force enable');
    const network = ['network', 'create', '-d', 'tsnet', '--ipv6'];
    const guarded = ['--subnet', '198.18.64.0/24', '--subnet', 'fd98::/64', '-o', 'firewall=ufw'];
    await lab.host.docker(...network, ...guarded, 'guarded');
    const plain = ['--subnet', '198.18.65.0/24', '--subnet', 'fd97::/64'];
    await lab.host.docker(...network, ...plain, 'plain');
    const ports = [GUARDED, ...RULE_PORTS];
    const published = ['8007:7', ...ports.flatMap(port => [`${port}:80`, `${port}:80/udp`])];
    await lab.run('g1', 'guarded', [80], ...published.flatMap(port => ['-p', port]));
    await lab.host.docker('exec', '-d', 'g1', 'nc', '-ll', '-p', '7', '-e', 'cat');
    await lab.run('p1', 'plain', [80], '-p', '8090:80');
    const server = join(import.meta.dirname, 'fixtures/name-server.ts');
    const child = await host.spawn('node', [server, 'host', ...ports.map(port => String(ofHost(port)))]);
    await child.waitForOutput('listening');
    for (const client of [SECOND, ...FRESH])
      await lab.lab.lan.exec('ip', ['addr', 'add', `${client}/24`, 'dev', 'br0']);
  });
  afterAll(() => lab?.lab.destroy());

  it('what it does not allow is closed, and what is not its business stays open', async () => {
    expect(await open(GUARDED)).toEqual([NONE]);
    expect(await lab.ask(lab.lab.lan, { p: tcp(address, 8090), p6: tcp(address6, 8090) })).toEqual({
      p: 'p1 198.18.0.1',
      p6: 'p1 fd99::1',
    });
    // As ufw accepts everything on lo.
    expect(await lab.ask(lab.host.host, { g: tcp(address, GUARDED), l: tcp('127.0.0.1', GUARDED) })).toEqual({
      g: `g1 ${address}`,
      l: expect.stringMatching(/^g1 /),
    });
  });

  it('commands take effect within a second', async () => {
    const rule = `nft list chain inet tsnet ufw4 | grep -q ' ${GUARDED} '`;
    const drop = 'nft list chain inet tsnet ufw4 | grep -q drop';
    const port = async () => (await lab.ask(lab.lab.lan, { port: tcp(address, GUARDED) })).port;

    expect(await timeUntil(lab.host, `ufw allow ${GUARDED} > /dev/null`, rule)).toBeLessThan(1000);
    expect(await port()).toBe('g1 198.18.0.1');
    expect(await timeUntil(lab.host, `ufw delete allow ${GUARDED} > /dev/null`, `! ${rule}`)).toBeLessThan(
      1000,
    );
    expect(await port()).toBe('silence');
    expect(await timeUntil(lab.host, 'ufw disable > /dev/null', `! ${drop}`)).toBeLessThan(1000);
    expect(await port()).toBe('g1 198.18.0.1');
    expect(await timeUntil(lab.host, 'ufw --force enable > /dev/null', drop)).toBeLessThan(1000);
    expect(await port()).toBe('silence');
  });

  it('each rule does to a published port what it does to a port of the host', async () => {
    const commands = RULES.flatMap(([text], index) =>
      [RULE_PORTS[index] ?? 0, ofHost(RULE_PORTS[index] ?? 0)].map(port =>
        text.replace('PORT', String(port)),
      ),
    );
    await rules(...commands);
    const found = await open(...RULE_PORTS);
    expect(RULES.map(([text], index) => [text, found[index]])).toEqual(RULES);
  });

  it('the first rule that matches decides', async () => {
    await rules('allow PORT', 'insert 1 deny from 198.18.0.2');
    expect(await open(GUARDED)).toEqual([{ ...ALL, other: false }]);
    await rules('delete deny from 198.18.0.2', 'deny from 198.18.0.2');
    expect(await open(GUARDED)).toEqual([ALL]);
    await rules('delete deny from 198.18.0.2', 'delete allow PORT');
    expect(await open(GUARDED)).toEqual([NONE]);
  });

  it('the default policy is for the rest', async () => {
    await rules('default allow incoming', 'deny PORT/udp');
    expect(await open(GUARDED)).toEqual([{ ...ALL, udp: false, udp6: false }]);
    await rules('default reject incoming', 'reload');
    expect(await open(GUARDED)).toEqual([NONE]);
    await rules('default deny incoming', 'delete deny PORT/udp');
  });

  it('limit lets as many connections of a client through as to the host itself', async () => {
    await rules('limit PORT/tcp');
    /** How many connections in a row get through. */
    const passed = async (port: number, client: string): Promise<number> => {
      for (let count = 0; count < 9; count++) {
        const { one } = await lab.ask(lab.lab.lan, { one: tcp(address, port, client) });
        if (!/^(g1|host) /.test(one)) return count;
      }
      throw new Error('none was refused');
    };
    // One that is late is asked for a second time by the client's kernel, and counted twice: hence two tries.
    const most = async (port: number, first: string, second: string): Promise<number> => {
      const count = await passed(port, first);
      return count === 5 ? count : Math.max(count, await passed(port, second));
    };
    const toHost = await most(ofHost(GUARDED), FRESH[0], FRESH[1]);
    expect(toHost).toBe(5);
    expect(await most(GUARDED, FRESH[2], FRESH[3])).toBe(toHost);
    await rules('delete limit PORT/tcp');
  });

  it('connections stay when the rule goes that let them in', async () => {
    await rules('allow 8007/tcp');
    const connection = await EchoSeries.start(lab.lab.lan, address, 8007);
    await rules('delete allow 8007/tcp');
    expect(await lab.ask(lab.lab.lan, { next: tcp(address, 8007) })).toEqual({ next: 'silence' });
    await connection.more(10);
    await connection.stop();
  });

  it('a daemon that starts again asks it anew', async () => {
    await lab.host.stop();
    await command(`allow ${GUARDED}/tcp`);
    await command(`allow ${ofHost(GUARDED)}/tcp`);
    await lab.host.start();
    await rules();
    expect(await open(GUARDED)).toEqual([{ ...NONE, tcp: true, tcp6: true, other: true }]);
    await rules('delete allow PORT/tcp');
    expect(await open(GUARDED)).toEqual([NONE]);
  });
});
