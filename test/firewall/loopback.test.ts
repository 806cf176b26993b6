import { afterAll, beforeAll, expect, test } from 'vitest';
import { addressOf, gatewayOf, ONLY_LOOPBACK, type PlaceName, PORTS } from './lab/plan.ts';
import { PublishLab } from './lab/publish-lab.ts';

/** Of the host, on 127.0.0.1 only. */
const PRIVATE = 9000;
let lab: PublishLab;

/** A place that sends packets for 127.0.0.0/8 to the host, and may come from there. */
async function misroute(place: PlaceName, via: string): Promise<void> {
  const { namespace } = lab.at(place);
  for (const link of ['all', 'eth0']) namespace.sysctl(`ipv4/conf/${link}/route_localnet`, '1');
  await namespace.batch(
    // Or the answers would seem to come from itself.
    'addr del 127.0.0.1/8 dev lo',
    `route add 127.0.0.0/8 via ${via} src ${addressOf(place, 4)}`,
  );
}

beforeAll(async () => {
  lab = await PublishLab.create();
  await lab.host.serve(PRIVATE, '127.0.0.1');
  await misroute('lan', addressOf('host', 4));
  await misroute('a', gatewayOf('tsb1', 4));
  // As other programs set it on the way to the LAN.
  lab.host.namespace.sysctl('ipv4/conf/v-lan/route_localnet', '1');
});

afterAll(() => lab?.close());

test('a neighbour that routes 127.0.0.1 here does not reach what is published there, nor on every address', async () => {
  await lab.table();
  const ask = (port: number, protocol: 'tcp' | 'udp') =>
    lab.at('lan').ask(['127.0.0.1', port], protocol, 'short');
  for (const port of [ONLY_LOOPBACK, PORTS.a]) {
    for (const protocol of ['tcp', 'udp'] as const) {
      expect(await ask(port, protocol)).toMatch(/^(silence|ECONNREFUSED)$/);
    }
  }
  // Its packets do arrive: without the rules it would.
  await lab.nft.run('flush chain inet tsnet publish\nadd rule inet tsnet publish goto to_container');
  expect(await lab.at('lan').ask(['127.0.0.1', ONLY_LOOPBACK])).toBe(`a saw ${addressOf('lan', 4)}`);
  expect(await lab.at('lan').ask(['127.0.0.1', PORTS.a])).toBe(`a saw ${addressOf('lan', 4)}`);
});

test('a container does not reach what listens on 127.0.0.1 of the host', async () => {
  await lab.table();
  expect(await lab.at('a').ask(['127.0.0.1', PRIVATE], 'tcp', 'short')).toBe('silence');
  expect(await lab.at('a').ask(['127.0.0.2', PORTS.a], 'tcp', 'short')).toBe('silence');
  expect(await lab.host.ask(['127.0.0.1', PRIVATE])).toBe('host saw 127.0.0.1');
  await lab.nft.run('flush chain inet tsnet loopback_guard');
  expect(await lab.at('a').ask(['127.0.0.1', PRIVATE])).toBe(`host saw ${addressOf('a', 4)}`);
});

test('a container does not speak as if from 127.0.0.0/8', async () => {
  await lab.table();
  const { namespace } = lab.at('a');
  await namespace.batch('addr add 127.9.9.9/32 dev eth0');
  await lab.nft.run(`table inet seen {
    counter spoofed {}
    chain input {
      type filter hook input priority 0;
      iifname "tsb1" ip saddr 127.9.9.9 counter name spoofed
    }
  }`);
  const send = () =>
    namespace.exec('ping', '-n', '-c1', '-W0.3', '-I', '127.9.9.9', gatewayOf('tsb1', 4)).catch(() => '');
  const seen = () => lab.host.namespace.exec('nft', 'list', 'counters', 'table', 'inet', 'seen');
  await send();
  expect(await seen()).toContain('packets 0 ');
  await lab.nft.run('flush chain inet tsnet loopback_guard');
  await send();
  expect(await seen()).toContain('packets 1 ');
});
