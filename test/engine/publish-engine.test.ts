import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../lab/lab.ts';
import { clean, createNetwork } from './support/bridge-lab.ts';
import { startContainer } from './support/macvlan-lab.ts';
import { askAt, expectUnpublished, published, startServer } from './support/publish-lab.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

const LAN = '198.18.0.1';
const SUBNETS = ['--subnet', '198.18.9.0/24'];

/** By default a docker-proxy holds what the engine publishes; without it, dockerd does so itself. */
const PROXY = { 'docker-proxy': {}, 'userland-proxy=false': { 'userland-proxy': false } };

describe.each(
  ENGINES.flatMap(engine =>
    Object.entries(PROXY).map(([how, daemonJson]) => [engine, how, daemonJson] as const),
  ),
)("a port of the engine's own networks, engine %s with %s", (engine, how, daemonJson) => {
  let lab: Lab;
  let host: TsnetHost;

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine, daemonJson }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
  });
  afterEach(() => clean(host));
  afterAll(() => lab?.destroy());

  const run = (name: string, network: string, ...publish: string[]) => [
    ...['run', '--name', name, '--network', network],
    ...publish.flatMap(port => ['-p', port]),
    ...['busybox', 'true'],
  ];

  it.each(['8080:80', '127.0.0.1:8080:80', '8080:80/udp'])(
    'is refused to a container of tsnet: -p %s',
    async publish => {
      await createNetwork(host, 'web', ...SUBNETS);
      const own = await startContainer(host, 'own', 'bridge', '-p', publish);
      const words = await host.refused(...run('c1', 'web', '8081:80', publish));
      expect(words).toContain('PORT_TAKEN: port ');
      const protocol = publish.endsWith('udp') ? 'udp' : 'tcp';
      expect(words).toMatch(new RegExp(`:8080/${protocol} is taken by the engine's own publication`));
      if (how === 'docker-proxy') expect(words).toContain(`for ${own.address4}:80 (docker-proxy)`);
      await expectUnpublished(host, '0.0.0.0:8081/tcp', '[::]:8081/tcp');
    },
  );

  it.each(['8080:80', '127.0.0.1:8080:80', '8080:80/udp'])(
    'is refused to it where tsnet has it: -p %s',
    async publish => {
      await createNetwork(host, 'web', ...SUBNETS);
      await startServer(host, 'c1', 'web', '-p', publish);
      const before = await published(host);
      expect(await host.refused(...run('own', 'bridge', publish))).toMatch(
        /address already in use|port is already allocated|failed to bind/,
      );
      expect(await published(host)).toEqual(before);
      const port = publish.endsWith('/udp') ? '8080/udp' : '8080';
      expect(await askAt(host.host, `127.0.0.1:${port}`)).toBe('c1 198.18.9.1');
    },
  );

  it('goes from the one to the other when it is given back', async () => {
    await createNetwork(host, 'web', ...SUBNETS);
    for (const network of ['web', 'bridge', 'web']) {
      await startServer(host, 'c1', network, '-p', '8080:80', '-p', '8080:80/udp');
      for (const place of ['198.18.0.11:8080', '198.18.0.11:8080/udp'])
        expect(await askAt(lab.lan, place)).toBe(`c1 ${LAN}`);
      await host.docker('rm', '-f', 'c1');
    }
  });
});
