import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../lab/lab.ts';
import { BR_NETFILTER, clean, createNetwork, routesIn, setBrNetfilter } from './support/bridge-lab.ts';
import { networkId } from './support/host-view.ts';
import { attached, startContainer } from './support/macvlan-lab.ts';
import {
  askAt,
  asks,
  expectUnpublished,
  inside,
  mapElements,
  portRows,
  ready,
  startServer,
} from './support/publish-lab.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

const LAN = '198.18.0.1';
const HOST = '198.18.0.11';
const PUBLISH = ['-p', '8080:80', '-p', '8080:80/udp', '-p', '127.0.0.1:8081:81'];

/** Of a container's networks, the one that has its default route publishes its ports. */
describe.each(ENGINES)('ports of a container on several networks, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
    // by name, the second one wins against the first, and is won against by `bridge`
    await createNetwork(host, 'mid', '--subnet', '198.18.10.0/24');
    await createNetwork(host, 'cab', '--subnet', '198.18.11.0/24');
    await createNetwork(host, 'abc', '--subnet', '198.18.12.0/24');
  });
  afterEach(async () => {
    await host.host.discard('shop');
    await expectUnpublished(
      host,
      '0.0.0.0:8080/tcp',
      '[::]:8080/tcp',
      '0.0.0.0:8080/udp',
      '0.0.0.0:8081/tcp',
    );
  });
  afterAll(async () => {
    try {
      await clean(host);
    } finally {
      await lab?.destroy();
    }
  });

  /** That the ports lead to the container by one network of tsnet, and by none besides. */
  async function leadsBy(network: string): Promise<void> {
    const { address4 } = await attached(host, 'shop', network);
    const rows = await portRows(host);
    expect(new Set(rows.map(row => `${row.container} ${row.network} ${row.containerAddress}`))).toEqual(
      new Set([`shop ${network} ${address4}`]),
    );
    expect(await mapElements(host)).toEqual([
      `publish4 tcp 8080 : ${address4} 80`,
      `publish4 udp 8080 : ${address4} 80`,
      `publish_at4 127.0.0.1 tcp 8081 : ${address4} 81`,
    ]);
    expect(await routesIn(host, 'shop')).toContain(`default via ${address4.replace(/\d+$/, '1')} `);
    await reached();
  }

  async function reached(): Promise<void> {
    expect(await asks(lab.lan, `${HOST}:8080`, `${HOST}:8080/udp`)).toEqual({
      [`${HOST}:8080`]: `shop ${LAN}`,
      [`${HOST}:8080/udp`]: `shop ${LAN}`,
    });
    expect(await asks(host.host, '127.0.0.1:8080', '127.0.0.1:8081', '[::1]:8080')).toEqual({
      '127.0.0.1:8080': expect.stringMatching(/^shop /),
      '127.0.0.1:8081': expect.stringMatching(/^shop /),
      '[::1]:8080': expect.stringMatching(/^shop /),
    });
  }

  it('move to a network that wins by its name, and back when it is left', async () => {
    await startServer(host, 'shop', 'mid', ...PUBLISH);
    await leadsBy('mid');
    await host.docker('network', 'connect', 'cab', 'shop');
    await leadsBy('cab');
    await host.docker('network', 'connect', 'abc', 'shop');
    await leadsBy('abc');
    await host.docker('network', 'disconnect', 'abc', 'shop');
    await leadsBy('cab');
    await host.docker('network', 'disconnect', 'mid', 'shop');
    await leadsBy('cab');
  });

  it('stay where they are when a network is joined that does not win', async () => {
    await startServer(host, 'shop', 'cab', ...PUBLISH);
    await host.docker('network', 'connect', 'mid', 'shop');
    await leadsBy('cab');
    // the engine joins the networks of a container that starts in any order
    for (let start = 0; start < 4; start++) {
      await host.docker('restart', '-t', '0', 'shop');
      await ready(host, 'shop');
      await leadsBy('cab');
    }
  });

  it('move to a network of a higher gw-priority, and back', async context => {
    context.skip(engine === '20.10', 'it has no such option');
    await startServer(host, 'shop', 'cab', ...PUBLISH);
    const { status } = await host.host.api('POST', `/networks/${await networkId(host, 'mid')}/connect`, {
      Container: 'shop',
      EndpointConfig: { GwPriority: 10 },
    });
    expect(status).toBe(200);
    await leadsBy('mid');
    await host.docker('network', 'disconnect', 'mid', 'shop');
    await leadsBy('cab');
  });

  it('are published by two networks where one has IPv4 and the other IPv6', async context => {
    context.skip(engine === '20.10', 'every network of it has IPv4');
    await createNetwork(host, 'six', '--ipv4=false', '--ipv6', '--subnet', '2001:db8:9::/64');
    try {
      await startServer(host, 'shop', 'mid', ...PUBLISH);
      const { address4 } = await attached(host, 'shop', 'mid');
      const own = [
        `publish4 tcp 8080 : ${address4} 80`,
        `publish4 udp 8080 : ${address4} 80`,
        `publish_at4 127.0.0.1 tcp 8081 : ${address4} 81`,
      ];
      // relayed
      expect(await askAt(lab.lan, '[fd99::b]:8080')).toBe('shop 198.18.10.1');
      await host.docker('network', 'connect', 'six', 'shop');
      await ready(host, 'shop');
      const { address6 } = await attached(host, 'shop', 'six');
      expect(await mapElements(host)).toEqual([
        ...own.slice(0, 2),
        `publish6 tcp 8080 : ${address6} 80`,
        `publish6 udp 8080 : ${address6} 80`,
        ...own.slice(2),
      ]);
      expect(await askAt(lab.lan, '[fd99::b]:8080')).toBe('shop fd99::1');
      await reached();
      await host.docker('network', 'disconnect', 'six', 'shop');
      expect(await mapElements(host)).toEqual(own);
      expect(await askAt(lab.lan, '[fd99::b]:8080')).toBe('shop 198.18.10.1');
    } finally {
      await host.docker('rm', '-f', 'shop');
      await host.docker('network', 'rm', 'six');
    }
  });

  it.each(BR_NETFILTER)(
    'answer a client of a network that they do not lead by, bridge-nf-call-iptables=%s',
    async brNetfilter => {
      await setBrNetfilter(host, brNetfilter);
      await startServer(host, 'shop', 'cab', ...PUBLISH);
      await host.docker('network', 'connect', 'mid', 'shop');
      await startContainer(host, 'client', 'mid');
      try {
        // it could be answered directly, past the host, and from another address than it asked
        expect(await asks(inside(host, 'client'), `${HOST}:8080`, `${HOST}:8080/udp`)).toEqual({
          [`${HOST}:8080`]: expect.stringMatching(/^shop /),
          [`${HOST}:8080/udp`]: expect.stringMatching(/^shop /),
        });
      } finally {
        await host.docker('rm', '-f', 'client');
      }
    },
  );

  it("move to the engine's own network and back", async () => {
    await startServer(host, 'shop', 'mid', ...PUBLISH);
    await leadsBy('mid');
    await host.docker('network', 'connect', 'bridge', 'shop');
    await expectNoneOfTsnet();
    expect(await host.docker('port', 'shop')).toContain('80/tcp -> 0.0.0.0:8080');
    expect(await asks(lab.lan, `${HOST}:8080`)).toEqual({ [`${HOST}:8080`]: `shop ${LAN}` });
    // of the others it wins
    await host.docker('network', 'connect', 'abc', 'shop');
    await leadsBy('abc');
    await host.docker('network', 'disconnect', 'abc', 'shop');
    await expectNoneOfTsnet();
    await host.docker('network', 'disconnect', 'bridge', 'shop');
    await leadsBy('mid');
  });

  async function expectNoneOfTsnet(): Promise<void> {
    expect(await portRows(host)).toEqual([]);
    expect(await mapElements(host)).toEqual([]);
  }
});
