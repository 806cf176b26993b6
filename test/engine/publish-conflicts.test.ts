import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../lab/lab.ts';
import { clean, createNetwork } from './support/bridge-lab.ts';
import { store } from './support/host-view.ts';
import { startContainer } from './support/macvlan-lab.ts';
import {
  askAt,
  bind,
  expectUnpublished,
  holdPlaces,
  mapElements,
  published,
  startServer,
} from './support/publish-lab.ts';
import { soon } from './support/soon.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

const LAN = '198.18.0.1';
const HOST = '198.18.0.11';
const SUBNETS = ['--subnet', '198.18.9.0/24', '--ipv6', '--subnet', '2001:db8:9::/64'];
/** How many times a race is run. */
const ROUNDS = 6;

describe.each(ENGINES)('a port that is taken, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
    await createNetwork(host, 'web', ...SUBNETS);
    await createNetwork(host, 'other', '--subnet', '198.18.10.0/24');
  });
  afterEach(async () => {
    const containers = await host.docker('ps', '-aq');
    if (containers !== '') await host.docker('rm', '-f', ...containers.split('\n'));
    // but for the bridges of the two networks
    await soon(async () => expect(await host.links()).toHaveLength(2));
    await expectUnpublished(host, '0.0.0.0:8080/tcp', '[::]:8080/tcp', '0.0.0.0:8080/udp', '[::]:8080/udp');
  });
  afterAll(async () => {
    try {
      await clean(host);
    } finally {
      await lab?.destroy();
    }
  });

  /** All of tsnet's that a container could leave behind. */
  const everything = async () => ({
    links: await host.links(),
    maps: await mapElements(host),
    endpoints: (await store(host)).endpoints,
    ports: await published(host),
  });

  /** Runs a container that has to be refused, and asserts that nothing of it is left. @returns the engine's words */
  async function refusedWith(...publish: string[]): Promise<string> {
    const before = await everything();
    const ports = publish.flatMap(port => ['-p', port]);
    const words = await host.refused('run', '--rm', '--network', 'web', ...ports, 'busybox', 'true');
    await soon(async () => expect(await everything()).toEqual(before));
    return words;
  }

  it.each([
    ['0.0.0.0:8080/tcp', '8080:80', '0.0.0.0:8080/tcp'],
    ['[::]:8080/tcp', '8080:80', '[::]:8080/tcp'],
    ['127.0.0.1:8080/tcp', '8080:80', '0.0.0.0:8080/tcp'],
    ['0.0.0.0:8080/udp', '127.0.0.1:8080:80/udp', '127.0.0.1:8080/udp'],
    ['[::1]:8080/udp', '8080:80/udp', '[::]:8080/udp'],
  ])('by a process of the host on %s: -p %s names it', async (place, publish, wanted) => {
    const { child, pid } = await holdPlaces(host, place);
    try {
      const words = await refusedWith('8081:80', publish);
      expect(words).toContain(`PORT_TAKEN: port ${wanted} is taken by process node (pid ${pid})`);
      // what could be had has been given back
      expect(await bind(host, '0.0.0.0:8081/tcp', '[::]:8081/tcp')).toEqual({
        '0.0.0.0:8081/tcp': 'free',
        '[::]:8081/tcp': 'free',
      });
    } finally {
      await child.stop();
    }
    await startContainer(host, 'c1', 'web', '-p', publish);
    expect(await published(host)).not.toEqual([]);
  });

  it('by a process on another address, or of the other protocol, is no conflict', async () => {
    await host.host.exec('ip', ['addr', 'add', '198.18.0.111/24', 'dev', 'eth0']);
    const { child } = await holdPlaces(host, '198.18.0.111:8080/tcp', '0.0.0.0:8080/udp');
    try {
      await startServer(host, 'c1', 'other', '-p', `${HOST}:8080:80`);
      expect(await askAt(lab.lan, `${HOST}:8080`)).toBe(`c1 ${LAN}`);
    } finally {
      await child.stop();
      await host.host.exec('ip', ['addr', 'del', '198.18.0.111/24', 'dev', 'eth0']);
    }
  });

  it.each([
    ['8080:80', '8080:81', '0.0.0.0:8080/tcp'],
    ['8080:80/udp', '127.0.0.1:8080:81/udp', '127.0.0.1:8080/udp'],
    [`${HOST}:8080:80`, '8080:80', '0.0.0.0:8080/tcp'],
    ['[::]:8080:80', '8080:80', '[::]:8080/tcp'],
  ])('by another container of tsnet with -p %s: -p %s names it', async (first, second, wanted) => {
    const c1 = await startContainer(host, 'c1', 'other', '-p', first);
    const words = await refusedWith('8081:80', second);
    expect(words).toContain(`PORT_TAKEN: port ${wanted} is taken by`);
    expect(words).toMatch(new RegExp(`taken by .*${c1.address4.replaceAll('.', '\\.')}.*network other`));
    expect(await bind(host, '0.0.0.0:8081/tcp')).toEqual({ '0.0.0.0:8081/tcp': 'free' });
    // the first has noticed nothing
    expect(await mapElements(host)).toHaveLength(first.startsWith('[::]') ? 0 : 1);
  });

  it('by another of its own ports', async () => {
    // in the order of the engine, which is random
    expect(await refusedWith('8080:80', '8080:81')).toMatch(
      /PORT_TAKEN: port 0\.0\.0\.0:8080\/tcp is asked for twice, for ports 8[01] and 8[01]\./,
    );
  });

  it('is held against processes of the host, on every address', async () => {
    const udp = ['-p', '8080:80/udp', '-p', '127.0.0.1:8082:80/udp'];
    await startContainer(host, 'c1', 'web', '-p', '8080:80', '-p', '127.0.0.1:8081:80', ...udp);
    const taken = ['0.0.0.0', '127.0.0.1', HOST, '[::]', '[::1]', '[fd99::b]'].flatMap(address => [
      `${address}:8080/tcp`,
      `${address}:8080/udp`,
    ]);
    taken.push('0.0.0.0:8081/tcp', '127.0.0.1:8081/tcp', '0.0.0.0:8082/udp', '127.0.0.1:8082/udp');
    expect(await bind(host, ...taken)).toEqual(Object.fromEntries(taken.map(place => [place, 'EADDRINUSE'])));
    const free = [`${HOST}:8081/tcp`, '127.0.0.2:8081/tcp', '[::]:8081/tcp', '127.0.0.1:8081/udp'];
    expect(await bind(host, ...free)).toEqual(Object.fromEntries(free.map(place => [place, 'free'])));
  });

  it('two containers at the same time: one has it, and the other is refused', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const names = ['one', 'two'];
      const run = (name: string) => {
        const network = name === 'one' || round % 2 === 0 ? 'web' : 'other';
        return host.host.docker(
          ...['run', '-d', '--stop-timeout', '0', '--name', name, '--network', network],
          ...['-p', '8080:80', '-p', `${8081 + round}:81`, 'busybox', 'sleep', '1d'],
        );
      };
      const results = await Promise.all(names.map(run));
      const started = names.filter((_, at) => results[at]?.exitCode === 0);
      expect(started).toHaveLength(1);
      const loser = results.find(({ exitCode }) => exitCode !== 0);
      expect(String(loser?.stderr)).toContain('PORT_TAKEN: port ');
      const rows = await published(host);
      expect(rows).toHaveLength(4);
      expect(await published(host, started[0])).toEqual(rows);
      await host.docker('rm', '-f', ...names);
      await expectUnpublished(host, '0.0.0.0:8080/tcp', '[::]:8080/tcp', `0.0.0.0:${8081 + round}/tcp`);
    }
  });

  it('four containers at the same time for one range of four: each has one', async () => {
    const names = ['one', 'two', 'three', 'four'];
    const run = (name: string) =>
      host.docker(
        ...['run', '-d', '--stop-timeout', '0', '--name', name, '--network', 'other'],
        ...['-p', '8080-8083:80', 'busybox', 'sleep', '1d'],
      );
    await Promise.all(names.map(run));
    const rows = await published(host);
    expect(rows).toEqual(
      ['0.0.0.0', '[::]'].flatMap(ip => [8080, 8081, 8082, 8083].map(port => `${ip}:${port} -> 80/tcp`)),
    );
  });
});
