import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../lab/lab.ts';
import { clean, createNetwork } from './support/bridge-lab.ts';
import { startContainer } from './support/macvlan-lab.ts';
import {
  askAt,
  asks,
  bind,
  expectUnpublished,
  holdPlaces,
  hostPortOf,
  mapElements,
  published,
  sendSctp,
  startSctpReceiver,
  startServer,
} from './support/publish-lab.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

const LAN = '198.18.0.1';
const LAN6 = 'fd99::1';
const HOST = '198.18.0.11';
const HOST6 = 'fd99::b';
const DUAL = ['--subnet', '198.18.9.0/24', '--ipv6', '--subnet', '2001:db8:9::/64'];

describe.each(ENGINES)('what -p publishes, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
    await createNetwork(host, 'web', ...DUAL);
    await createNetwork(host, 'plain', '--subnet', '198.18.10.0/24');
  });
  afterEach(async () => {
    const containers = await host.docker('ps', '-aq');
    if (containers !== '') await host.docker('rm', '-f', ...containers.split('\n'));
    expect(await mapElements(host)).toEqual([]);
    expect(await published(host)).toEqual([]);
  });
  afterAll(async () => {
    try {
      await clean(host);
    } finally {
      await lab?.destroy();
    }
  });

  it('a port of both protocols, on every address of both families', async () => {
    await startServer(host, 'c1', 'web', '-p', '8080:80', '-p', '8080:80/udp');
    expect(await published(host)).toEqual([
      '0.0.0.0:8080 -> 80/tcp',
      '0.0.0.0:8080 -> 80/udp',
      '[::]:8080 -> 80/tcp',
      '[::]:8080 -> 80/udp',
    ]);
    expect(
      await asks(
        lab.lan,
        `${HOST}:8080`,
        `${HOST}:8080/udp`,
        `[${HOST6}]:8080`,
        `[${HOST6}]:8080/udp`,
        `${HOST}:8081`,
      ),
    ).toEqual({
      [`${HOST}:8080`]: `c1 ${LAN}`,
      [`${HOST}:8080/udp`]: `c1 ${LAN}`,
      [`[${HOST6}]:8080`]: `c1 ${LAN6}`,
      [`[${HOST6}]:8080/udp`]: `c1 ${LAN6}`,
      [`${HOST}:8081`]: undefined,
    });
    await host.docker('rm', '-f', 'c1');
    await expectUnpublished(host, '0.0.0.0:8080/tcp', '0.0.0.0:8080/udp', '[::]:8080/tcp', '[::]:8080/udp');
  });

  it('one protocol of a port without the other', async () => {
    await startServer(host, 'c1', 'plain', '-p', '8080:80/udp');
    expect(await asks(lab.lan, `${HOST}:8080`, `${HOST}:8080/udp`)).toEqual({
      [`${HOST}:8080`]: undefined,
      [`${HOST}:8080/udp`]: `c1 ${LAN}`,
    });
  });

  it('a range on both sides, each port to its own', async () => {
    await startServer(host, 'c1', 'plain', '-p', '8000-8002:80-82');
    expect(await published(host)).toEqual(
      ['0.0.0.0', '[::]'].flatMap(ip => [80, 81, 82].map(port => `${ip}:${7920 + port} -> ${port}/tcp`)),
    );
    const all = await asks(lab.lan, ...[8000, 8001, 8002, 8003].map(port => `${HOST}:${port}`));
    expect(Object.values(all)).toEqual([`c1 ${LAN}`, `c1 ${LAN}`, `c1 ${LAN}`, undefined]);
  });

  it('the first free of a range, for one port', async () => {
    const { child } = await holdPlaces(host, '0.0.0.0:8001/tcp');
    try {
      const range = ['-p', '8000-8002:80'];
      await startServer(host, 'c1', 'plain', ...range);
      await startServer(host, 'c2', 'plain', ...range);
      expect(await published(host, 'c1')).toEqual(['0.0.0.0:8000 -> 80/tcp', '[::]:8000 -> 80/tcp']);
      expect(await published(host, 'c2')).toEqual(['0.0.0.0:8002 -> 80/tcp', '[::]:8002 -> 80/tcp']);
      expect(await askAt(lab.lan, `${HOST}:8002`)).toBe(`c2 ${LAN}`);
      const words = await host.refused('run', '--rm', '--network', 'plain', ...range, 'busybox', 'true');
      expect(words).toContain('PORTS_EXHAUSTED: none of the ports 0.0.0.0:8000/tcp to 8002 is free');
    } finally {
      await child.stop();
    }
  });

  it('ports of several kinds at once, from one range too', async () => {
    const several = ['-p', '8000-8005:80', '-p', '8000-8005:81', '-p', '9000:82', '-p', '9000:80/udp'];
    await startServer(host, 'c1', 'plain', ...several);
    const ports = [await hostPortOf(host, 'c1', 80), await hostPortOf(host, 'c1', 81)];
    expect([...ports].sort()).toEqual([8000, 8001]);
    const places = [...ports.map(port => `${HOST}:${port}`), `${HOST}:9000`, `${HOST}:9000/udp`];
    expect(Object.values(await asks(lab.lan, ...places))).toEqual(places.map(() => `c1 ${LAN}`));
  });

  it('-P: what the image and --expose name, each on a free port', async () => {
    await startServer(host, 'c1', 'web', '-P', '--expose', '80', '--expose', '81/udp');
    const rows = await published(host);
    expect(rows.map(row => row.replace(/:\d+ /, ':N ')).sort()).toEqual([
      '0.0.0.0:N -> 80/tcp',
      '0.0.0.0:N -> 81/udp',
      '[::]:N -> 80/tcp',
      '[::]:N -> 81/udp',
    ]);
    const places = rows
      .map(row => row.replace('0.0.0.0', HOST).replace('::', HOST6))
      .map(row => row.replace(/ -> \d+(\/tcp)?/, ''));
    const answers = await asks(lab.lan, ...places);
    expect(Object.values(answers).sort()).toEqual([`c1 ${LAN}`, `c1 ${LAN}`, `c1 ${LAN6}`, `c1 ${LAN6}`]);
    // one number for both families
    expect(new Set(places.map(place => /:(\d+)/.exec(place.replace(/\[.*\]/, ''))?.[1])).size).toBe(2);
  });

  it('SCTP ports', async () => {
    // The kernel tracks and translates SCTP whether it has SCTP sockets or not, so that this needs none: a packet that
    // opens an association is made by hand, and looked for in the container.
    await startServer(host, 'c1', 'plain', '-p', '8080:90/sctp', '-p', '8080:80');
    expect(await published(host)).toEqual([
      '0.0.0.0:8080 -> 80/tcp',
      '0.0.0.0:8080 -> 90/sctp',
      '[::]:8080 -> 80/tcp',
    ]);
    const receiver = await startSctpReceiver(host, 'c1');
    await sendSctp(lab.lan, `${HOST}:8080`);
    await receiver.waitForOutput(`${LAN} -> 90`);
    await receiver.stop();
    const again = ['run', '--rm', '--network', 'web', '-p', '8080:80/sctp', 'busybox', 'true'];
    expect(await host.refused(...again)).toContain('PORT_TAKEN: port 0.0.0.0:8080/sctp is taken by ');
  });

  describe('a port of its choice', () => {
    // Few, so that what is taken comes up for certain.
    const RANGE = '/proc/sys/net/ipv4/ip_local_port_range';
    let before: string;
    beforeAll(async () => {
      before = String((await host.host.exec('cat', [RANGE])).stdout);
      await host.host.sh(`echo 40000 40005 > ${RANGE}`);
    });
    afterAll(() => host.host.sh(`echo ${before} > ${RANGE}`));

    it('is bound by no process of the host, nor published by the engine', async () => {
      const { child } = await holdPlaces(host, '127.0.0.1:40000/tcp', '[::]:40001/tcp', '0.0.0.0:40002/tcp');
      try {
        await host.docker('run', '-d', '-p', '40003:80', 'busybox', 'sleep', '1d');
        await startServer(host, 'c1', 'plain', '-p', '80');
        await startServer(host, 'c2', 'plain', '-p', '80');
        const ports = [await hostPortOf(host, 'c1'), await hostPortOf(host, 'c2')];
        expect([...ports].sort()).toEqual([40004, 40005]);
        expect(Object.values(await asks(lab.lan, ...ports.map(port => `${HOST}:${port}`)))).toEqual([
          `c1 ${LAN}`,
          `c2 ${LAN}`,
        ]);
        const words = await host.refused('run', '--rm', '--network', 'plain', '-p', '80', 'busybox', 'true');
        expect(words).toContain('PORTS_EXHAUSTED: no ephemeral tcp port is free');
        // of the other protocol all are free
        await startContainer(host, 'c3', 'plain', '-p', '80/udp');
        expect(await published(host, 'c3')).toHaveLength(2);
      } finally {
        await child.stop();
      }
      // what it looked at on its way it has given back
      const all = ['127.0.0.1:40000/tcp', '[::]:40001/tcp', '0.0.0.0:40001/tcp', '0.0.0.0:40002/tcp'];
      expect(await bind(host, ...all)).toEqual(Object.fromEntries(all.map(place => [place, 'free'])));
    });
  });
});
