import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../lab/lab.ts';
import { clean, seenAs, startPeerServer } from './support/bridge-lab.ts';
import { answers, attached } from './support/macvlan-lab.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

const FILE = join(import.meta.dirname, 'fixtures/compose.yaml');

describe.each(ENGINES)('docker compose, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
    await startPeerServer(lab.lan);
  });
  afterEach(() => clean(host));
  afterAll(() => lab?.destroy());

  const compose = (...args: string[]) => host.docker('compose', '-p', 'shop', '-f', FILE, ...args);
  const inside = (service: string) => ({ on: host, container: `shop-${service}-1` });

  it('brings a project up, and takes all of it down', async () => {
    await compose('up', '-d');
    const names = await host.docker('network', 'ls', '-f', 'driver=tsnet', '--format', '{{.Name}}');
    expect(names.split('\n').sort()).toEqual(['shop_default', 'shop_fixed', 'shop_inner']);
    expect((await host.links()).filter(link => link.startsWith('tsb'))).toHaveLength(3);

    // who shares a network reaches the other by the service's name, and nobody else
    expect(await answers(inside('worker'), 'web')).toBe(true);
    expect(await answers(inside('db'), 'web')).toBe(true);
    expect(await answers(inside('db'), 'shop')).toBe(true);
    expect(await answers(inside('vault'), 'db')).toBe(true);
    expect(await answers(inside('worker'), 'db')).toBe(false);
    expect(await answers(inside('worker'), '198.18.9.80')).toBe(false);

    // the way out, and none from the internal network
    for (const service of ['web', 'worker', 'db']) {
      expect(await seenAs(inside(service), '198.18.0.1'), service).toBe(host.host.address);
    }
    expect(await answers(inside('vault'), '198.18.0.1')).toBe(false);
    expect(await host.docker('exec', 'shop-vault-1', 'ip', 'route')).not.toContain('default');

    expect((await attached(host, 'shop-web-1', 'shop_fixed')).address4).toBe('198.18.9.80');
    expect(await answers(host.host, '198.18.9.80')).toBe(true);
    const db = await attached(host, 'shop-db-1', 'shop_fixed');
    expect(db.address4).toMatch(/^198\.18\.9\.1(2[89]|[3-9]\d)$/);
    expect(await host.docker('exec', 'shop-db-1', 'ip', 'route')).toContain(
      'default via 198.18.9.254 dev fix',
    );
    const mtus = await host.docker('exec', 'shop-db-1', 'sh', '-c', 'cat /sys/class/net/fix*/mtu');
    expect(mtus).toBe('1420');

    // a second time there is nothing to do
    const links = await host.links();
    await compose('up', '-d');
    expect(await host.links()).toEqual(links);

    await compose('down');
    expect(await host.docker('ps', '-aq')).toBe('');
    expect(await host.docker('network', 'ls', '-q', '-f', 'driver=tsnet')).toBe('');
  });

  it('restarts, scales and replaces services of a running project', async () => {
    await compose('up', '-d');
    await compose('restart', '-t', '0', 'web');
    expect((await attached(host, 'shop-web-1', 'shop_fixed')).address4).toBe('198.18.9.80');
    expect(await answers(inside('worker'), 'web')).toBe(true);

    await compose('up', '-d', '--scale', 'worker=3');
    const found = await host.docker('exec', 'shop-web-1', 'nslookup', 'worker', '127.0.0.11');
    for (const number of [1, 2, 3]) {
      expect(found).toContain((await attached(host, `shop-worker-${number}`, 'shop_default')).address4);
    }
    await compose('up', '-d', '--force-recreate', 'db');
    expect(await answers(inside('db'), 'web')).toBe(true);
    await compose('stop', '-t', '0');
    await compose('start');
    expect(await answers(inside('db'), 'web')).toBe(true);
    await compose('down');
  });

  it('says what is wrong with an option', async () => {
    const file = join(host.host.dir, 'wrong.yaml');
    await writeFile(
      file,
      `services: {web: {image: busybox, command: sleep 1d}}
networks: {default: {driver: tsnet, driver_opts: {parnet: eth0}}}`,
    );
    const words = await host.refused('compose', '-p', 'wrong', '-f', file, 'up', '-d');
    expect(words).toContain('OPTION_UNKNOWN: option "parnet" is not known; parent is the nearest');
    expect(await host.docker('ps', '-aq')).toBe('');
    expect(await host.links()).toEqual([]);
  });
});
