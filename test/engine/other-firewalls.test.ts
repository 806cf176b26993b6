import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../lab/wait.ts';
import { EchoSeries } from './support/host-firewalls.ts';
import { firewallElements } from './support/host-view.ts';
import { type Attached, timeUntil } from './support/macvlan-lab.ts';
import { mapElements, PolicyLab, tcp } from './support/policy-lab.ts';
import { ENGINES } from './support/tsnet-host.ts';

const STRANGER = '198.18.70.2';

/** A namespace behind the host that neither tsnet nor the engine knows of; the LAN has a route to it. */
async function addStranger({ host: { host }, lab }: PolicyLab): Promise<void> {
  await host.sh(`
    ip netns add stranger
    ip link add str0 type veth peer name eth0 netns stranger
    ip addr add 198.18.70.1/24 dev str0
    ip link set str0 up
    ip -n stranger addr add ${STRANGER}/24 dev eth0
    ip -n stranger link set eth0 up
    ip -n stranger link set lo up
    ip -n stranger route add default via 198.18.70.1`);
  await lab.lan.exec('ip', ['route', 'add', '198.18.70.0/24', 'via', host.address]);
}

/** Asks from the stranger. */
const strangerAsks = async ({ host: { host } }: PolicyLab, questions: Record<string, string>) => {
  const probe = join(import.meta.dirname, 'fixtures/probe.ts');
  const ask = ['netns', 'exec', 'stranger', 'node', probe, JSON.stringify(questions)];
  return JSON.parse(String((await host.exec('ip', ask)).stdout)) as Record<string, string>;
};

describe.each(ENGINES)("beside the engine's iptables rules, engine %s", engine => {
  let lab: PolicyLab;
  let web: Attached;
  let address: string;

  beforeAll(async () => {
    lab = await PolicyLab.create(engine);
    address = lab.host.host.address;
    await lab.host.docker('network', 'create', '-d', 'tsnet', '--subnet', '198.18.64.0/24', 'web');
    web = await lab.run('web1', 'web', [80], '-p', '8080:80', '-p', '8007:7');
    await lab.run('own', 'bridge', [80], '-p', '8081:80');
    await addStranger(lab);
    await lab.serveOn(lab.lab.lan, 'lan', 7000);
  });
  afterAll(() => lab?.lab.destroy());

  it('ports of both are reached from the LAN, from the host, and from the other by the address of the host', async () => {
    const both = { tsnet: tcp(address, 8080), engine: tcp(address, 8081) };
    const lan = await lab.ask(lab.lab.lan, both);
    expect(lan).toEqual({ tsnet: 'web1 198.18.0.1', engine: 'own 198.18.0.1' });
    expect(await lab.ask(lab.host.host, both)).toMatchObject({ tsnet: `web1 ${address}` });
    expect(await lab.ask('own', both)).toMatchObject({ tsnet: expect.stringMatching(/^web1 /) });
    expect((await lab.ask('web1', both)).engine).toMatch(/^own /);
  });

  it('the DROP policy of FORWARD is widened for nobody else', async () => {
    const { host } = lab.host;
    const server = await host.spawn('ip', [
      'netns',
      'exec',
      'stranger',
      'busybox',
      'nc',
      '-ll',
      '-p',
      '80',
      '-e',
      'echo',
      'me',
    ]);
    await waitFor(async () => (await lab.ask(host, { me: tcp(STRANGER, 80) })).me === 'me\n', {
      what: 'the server of the stranger',
    });
    const inward = { stranger: tcp(STRANGER, 80), container: tcp(web.address4, 80) };
    const outward = {
      lan: tcp('198.18.0.1', 7000),
      container: tcp(web.address4, 80),
      port: tcp(address, 8080),
    };
    const before = String((await host.exec('iptables', ['-S', 'FORWARD', '1'])).stdout);

    expect(String((await host.exec('iptables', ['-S', 'FORWARD'])).stdout)).toContain('-P FORWARD DROP');
    expect(await lab.ask(lab.lab.lan, inward)).toMatchObject({ stranger: 'silence' });
    expect(await strangerAsks(lab, outward)).toEqual({
      lan: 'silence',
      container: 'silence',
      port: `web1 ${STRANGER}`,
    });
    // It is the policy that stops it, and nothing else.
    await host.exec('iptables', ['-P', 'FORWARD', 'ACCEPT']);
    expect(await lab.ask(lab.lab.lan, inward)).toMatchObject({ stranger: 'me\n' });
    expect(await strangerAsks(lab, outward)).toMatchObject({ lan: `lan ${STRANGER}`, container: 'silence' });
    await host.exec('iptables', ['-P', 'FORWARD', 'DROP']);
    expect(await lab.ask(lab.lab.lan, inward)).toMatchObject({ stranger: 'silence' });
    expect(String((await host.exec('iptables', ['-S', 'FORWARD', '1'])).stdout)).toBe(before);
    await server.stop();
  });

  it('after a flush of everything ports are back within a second, and a connection survives', async () => {
    await lab.host.docker('exec', '-d', 'web1', 'nc', '-ll', '-p', '7', '-e', 'cat');
    const connection = await EchoSeries.start(lab.lab.lan, address, 8007);
    const elements = await firewallElements(lab.host);
    const maps = await mapElements(lab.host);
    const back =
      'nft list map inet tsnet publish4 | grep -q 8080 && nft list set inet tsnet bridges | grep -q ts';
    for (const _ of [1, 2, 3]) {
      expect(await timeUntil(lab.host, 'nft flush ruleset', back)).toBeLessThan(1000);
      await connection.more(10);
    }
    expect(await firewallElements(lab.host)).toEqual(elements);
    expect(await mapElements(lab.host)).toEqual(maps);
    expect(await lab.ask(lab.lab.lan, { tsnet: tcp(address, 8080) })).toEqual({ tsnet: 'web1 198.18.0.1' });
    await connection.stop();
  });

  it('ufw cannot judge where there is none', async () => {
    const refusal = await lab.host.refused(
      'network',
      'create',
      '-d',
      'tsnet',
      '-o',
      'firewall=ufw',
      'guarded',
    );
    expect(refusal).toContain('UFW_MISSING');
  });
});

describe.each(ENGINES)("beside the engine's nftables rules, engine %s", engine => {
  let lab: PolicyLab;
  let own: Attached;
  let web: Attached;
  let address: string;

  beforeAll(async () => {
    lab = await PolicyLab.create(engine);
    await lab.host.host.stopEngine();
    await lab.host.host.sh('nft flush ruleset');
    await lab.host.host.startEngine(['--iptables=false', '--ip6tables=false']);
    address = lab.host.host.address;
    await lab.host.docker('network', 'create', '-d', 'tsnet', '--subnet', '198.18.64.0/24', 'web');
    web = await lab.run('web1', 'web', [80], '-p', '8080:80');
    own = await lab.run('own', 'bridge', [80, 81]);
    const tables = await readFile(join(import.meta.dirname, 'fixtures/docker-bridges.nft'), 'utf8');
    const input = tables.replaceAll('CONTAINER', own.address4).replaceAll('SUBNET', '172.17.0.0/16');
    await lab.host.host.exec('nft', ['-f', '-'], { input });
    for (const subnet of ['198.18.64.0/24', '172.17.0.0/16'])
      await lab.lab.lan.exec('ip', ['route', 'add', subnet, 'via', address]);
  });
  afterAll(() => lab?.lab.destroy());

  it('ports of both are reached from the LAN, and from the other by the address of the host', async () => {
    const both = { tsnet: tcp(address, 8080), engine: tcp(address, 8081) };
    const lan = await lab.ask(lab.lab.lan, both);
    expect(lan).toEqual({ tsnet: 'web1 198.18.0.1', engine: 'own 198.18.0.1' });
    expect((await lab.ask('own', both)).tsnet).toMatch(/^web1 /);
    expect((await lab.ask('web1', both)).engine).toMatch(/^own /);
  });

  it('what neither publishes is reached neither directly nor from the other', async () => {
    const direct = {
      tsnet: tcp(web.address4, 80),
      engine: tcp(own.address4, 80),
      other: tcp(own.address4, 81),
    };
    const closed = { tsnet: 'silence', engine: 'silence', other: 'silence' };
    expect(await lab.ask(lab.lab.lan, direct)).toEqual(closed);
    expect(await lab.ask('own', { tsnet: direct.tsnet })).toEqual({ tsnet: 'silence' });
    expect(await lab.ask('web1', { engine: direct.engine, other: direct.other })).toEqual({
      engine: 'silence',
      other: 'silence',
    });
  });

  it('no table is touched or made but its own', async () => {
    const { host } = lab.host;
    const before = await host.exec('nft', ['-s', 'list', 'table', 'ip', 'docker-bridges']);
    await lab.run('web2', 'web', [80], '-p', '8082:80');
    expect(await lab.ask(lab.lab.lan, { web2: tcp(address, 8082) })).toEqual({ web2: 'web2 198.18.0.1' });
    await lab.host.docker('rm', '-f', 'web2');
    expect((await host.exec('nft', ['-s', 'list', 'table', 'ip', 'docker-bridges'])).stdout).toBe(
      before.stdout,
    );
    const tables = String((await host.exec('nft', ['list', 'tables'])).stdout)
      .trim()
      .split('\n');
    expect(tables.sort()).toEqual(['table inet tsnet', 'table inet tsnet_flows', 'table ip docker-bridges']);
  });

  it('a DROP policy of FORWARD stops nothing that tsnet lets through, and everybody else', async () => {
    const { host } = lab.host;
    await addStranger(lab);
    await lab.serveOn(lab.lab.lan, 'lan', 7000);
    const rule = 'iptables -S FORWARD | grep -q 0x10000000/0x10000000';
    const port = { tsnet: tcp(address, 8080) };
    const out = { lan: tcp('198.18.0.1', 7000) };

    expect(await strangerAsks(lab, out)).toEqual({ lan: `lan ${STRANGER}` });
    expect(await timeUntil(lab.host, 'iptables -P FORWARD DROP', rule)).toBeLessThan(1000);
    expect(await lab.ask(lab.lab.lan, port)).toEqual({ tsnet: 'web1 198.18.0.1' });
    expect(await lab.ask('web1', out)).toEqual({ lan: `lan ${address}` });
    expect(await strangerAsks(lab, out)).toEqual({ lan: 'silence' });
    expect(await timeUntil(lab.host, 'iptables -F FORWARD', rule)).toBeLessThan(1000);
    expect(await lab.ask(lab.lab.lan, port)).toEqual({ tsnet: 'web1 198.18.0.1' });
    await host.exec('iptables', ['-P', 'FORWARD', 'ACCEPT']);
    expect(await strangerAsks(lab, out)).toEqual({ lan: `lan ${STRANGER}` });
  });
});
