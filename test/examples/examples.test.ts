import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { clean, seenAs, startPeerServer, talk } from '../engine/support/bridge-lab.ts';
import { answers, macOf, neighbourOf, type Pinger, reaches } from '../engine/support/macvlan-lab.ts';
import { asks, published } from '../engine/support/publish-lab.ts';
import { ENGINES, type TsnetHost, tsnetLab } from '../engine/support/tsnet-host.ts';
import type { Lab } from '../lab/lab.ts';
import type { LanNode } from '../lab/lan.ts';
import { waitFor } from '../lab/wait.ts';
import { Example, pageAt } from './support/example.ts';
import { buildStandIns } from './support/stand-ins.ts';

const FIXTURES = join(import.meta.dirname, '../engine/fixtures');
const NGINX = '<h1>Welcome to nginx!</h1>';

/** Each example does what its README says. */
describe.each(ENGINES)('examples, engine %s', engine => {
  let lab: Lab;
  let lan: LanNode;
  let host: TsnetHost;

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }] });
    lab = made.lab;
    lan = lab.lan;
    [host] = made.hosts as [TsnetHost];
    await Promise.all([startPeerServer(lan), buildStandIns(host)]);
  });
  afterEach(() => clean(host));
  afterAll(() => lab?.destroy());

  /** Waits until a page, whose server may only just have started, says something at all of some places. */
  async function shows(from: Pinger, page: string, ...places: string[]): Promise<void> {
    for (const place of places) {
      await waitFor(async () => (await pageAt(from, place)) === page, { what: `"${page}" at ${place}` });
    }
  }

  it('web-and-database: a page for all, the database for the host', async () => {
    const example = new Example(host, 'web-and-database');
    await example.up();
    const { address, address6 } = host.host;
    const page = 'Adminer: PostgreSQL';
    await shows(lan, page, `${address}:8080`, `[${address6}]:8080`);
    await shows(host.host, page, 'localhost:8080', '[::1]:8080', `${address}:8080`);
    expect(await talk(host.host, '127.0.0.1', 5432)).toBe('PostgreSQL');
    expect(await talk(host.host, address, 5432)).toBeUndefined();
    expect(await talk(lan, address, 5432)).toBeUndefined();
    expect(await published(host)).toEqual([
      '0.0.0.0:8080 -> 8080/tcp',
      '127.0.0.1:5432 -> 5432/tcp',
      '[::]:8080 -> 8080/tcp',
    ]);
    const other = [
      'run',
      '--rm',
      '--network',
      'web-and-database_default',
      '-p',
      '8080:80',
      'busybox',
      'true',
    ];
    expect(await host.refused(...other)).toMatch(
      /PORT_TAKEN: port 0\.0\.0\.0:8080\/tcp is taken by .*web-and-database/,
    );
    await example.down();
  });

  it('home-server: addresses of the LAN, for the LAN and for the host', async () => {
    const env = {
      PARENT: 'eth0',
      SUBNET: '198.18.0.0/24',
      GATEWAY: '198.18.0.1',
      DNS_ADDRESS: '198.18.0.53',
      DASHBOARD_ADDRESS: '198.18.0.54',
      RANGE: '198.18.0.224/28',
      NODE: process.execPath,
      FIXTURES,
    };
    const override = join(import.meta.dirname, 'home-server.override.yaml');
    const example = new Example(host, 'home-server', { env, override });
    await example.up();
    const dns = '198.18.0.53:53/udp';
    const dashboard = await example.from('dashboard');
    // every client is seen by its own address
    const answered = async (client: Pinger, seen: string) =>
      waitFor(async () => (await asks(client, dns))[dns] === `dns ${seen}`, { what: `${seen} to be told` });
    await answered(lan, '198.18.0.1');
    await answered(host.host, host.host.address);
    await answered(dashboard, '198.18.0.54');
    for (const client of [lan, host.host]) await shows(client, NGINX, '198.18.0.54:80', '198.18.0.54:8080');
    expect(await pageAt(lan, `${host.host.address}:80`)).toBeUndefined();
    // the way out is the LAN's router, past the host
    expect(await seenAs(dashboard, '198.18.0.1')).toBe('198.18.0.54');
    expect(await neighbourOf(lan, '198.18.0.54')).not.toBe(await macOf(host.host, 'eth0'));
    // who has no fixed address gets one of the range
    const run = ['run', '--rm', '--network', 'home-server_lan', 'busybox', 'hostname', '-i'];
    expect(await host.docker(...run)).toMatch(/^198\.18\.0\.2(2[4-9]|3\d)$/);
    // all of it stays when the containers are made anew, and when the engine starts again
    const mac = await neighbourOf(lan, '198.18.0.54');
    await example.compose('up', '-d', '--force-recreate', '-t', '0');
    await host.host.stopEngine('KILL');
    await host.host.startEngine();
    await answered(lan, '198.18.0.1');
    await answered(host.host, host.host.address);
    await shows(lan, NGINX, '198.18.0.54:80');
    expect(await neighbourOf(lan, '198.18.0.54')).toBe(mac);
    await example.down();
  });

  it('shared-network: two stacks, of which one leads to the other', async () => {
    const proxy = new Example(host, 'shared-network/proxy');
    const shop = new Example(host, 'shared-network/shop');
    await host.docker('network', 'create', '-d', 'tsnet', 'shared');
    await Promise.all([proxy.up(), shop.up()]);
    const place = `${host.host.address}:8080`;
    await shows(lan, NGINX, place);
    await shows(host.host, NGINX, 'localhost:8080');
    // the cache is for its own stack: others know neither its name nor a way to its address
    expect(await talk(await shop.from('web'), 'cache', 6379)).toBe('Redis');
    const ask = ['timeout', '2', 'nc', 'cache', '6379'];
    await host.refused('exec', await proxy.container('proxy'), ...ask);
    const { IPAddress } = await host.attachment(await shop.container('cache'), 'shop_default');
    expect(await answers(await shop.from('web'), String(IPAddress))).toBe(true);
    expect(await answers(await proxy.from('proxy'), String(IPAddress))).toBe(false);
    // stacks come and go without each other
    await shop.down();
    expect(await pageAt(lan, place)).toBeUndefined();
    await shop.up();
    await shows(lan, NGINX, place);
    await proxy.down();
    await shop.down();
    await host.docker('network', 'rm', 'shared');
  });

  it('dual-stack: the same over IPv4 and IPv6', async () => {
    const example = new Example(host, 'dual-stack');
    await example.up();
    const { address, address6 } = host.host;
    const client = await example.from('client');
    const web = ['172.30.8.80', 'fd5a:9c1e:7b3d:8::80'] as const;
    for (const own of web) await reaches(client, own);
    await shows(lan, NGINX, `${address}:8080`, `[${address6}]:8080`);
    await shows(host.host, NGINX, '127.0.0.1:8080', '[::1]:8080', `${web[0]}:80`, `[${web[1]}]:80`);
    await shows(client, NGINX, 'web:80');
    // who asks is seen, in either family
    const log = await example.compose('logs', '--no-log-prefix', 'web');
    expect(log).toContain('198.18.0.1]');
    expect(log).toContain('[fd99::1]');
    // the way out, by the host's addresses
    expect(await seenAs(client, '198.18.0.1')).toBe(address);
    expect(await seenAs(client, 'fd99::1')).toBe(address6);
    await example.down();
  });
});
