import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Lab } from '../lab/lab.ts';
import { BR_NETFILTER, clean, createNetwork, setBrNetfilter } from './support/bridge-lab.ts';
import { inContainer, startContainer } from './support/macvlan-lab.ts';
import { asks, inside, type Neighbour, startNeighbour, startServer } from './support/publish-lab.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

const HOST = '198.18.0.11';
const HOST6 = 'fd99::b';
const SUBNETS = ['--subnet', '198.18.9.0/24', '--ipv6', '--subnet', '2001:db8:9::/64'];

/**
 * A port that is published on 127.0.0.1 is for the host alone. What keeps neighbours out otherwise is that the kernel
 * drops packets to 127.0.0.0/8 that come in by another link than lo, but not where somebody has set route_localnet on
 * it, as some load balancers want: moby#45610. Port 9999 is one of the host's own services, on 127.0.0.1 too: it is
 * reached in this way, which proves that the packets of the others arrived.
 */
describe.each(ENGINES)('a port published on 127.0.0.1, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;
  let neighbour: Neighbour;

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
    await createNetwork(host, 'web', ...SUBNETS);
    const loopback = ['127.0.0.1:8081:80', '127.0.0.1:8081:80/udp', '[::1]:8082:80'];
    await startServer(host, 'c1', 'web', ...loopback.flatMap(port => ['-p', port]), '-p', '8080:80');
    await host.host.spawn('node', [
      '-e',
      "require('node:net').createServer(s => s.end('service')).listen(9999, '127.0.0.1')",
    ]);
    neighbour = await startNeighbour(lab);
  });
  afterAll(async () => {
    try {
      await clean(host);
    } finally {
      await lab?.destroy();
    }
  });

  it('is reached on the host by that address only', async () => {
    expect(
      await asks(
        host.host,
        '127.0.0.1:8081',
        '127.0.0.1:8081/udp',
        '127.0.0.2:8081',
        `${HOST}:8081`,
        '[::1]:8082',
        '[::1]:8081',
      ),
    ).toEqual({
      '127.0.0.1:8081': 'c1 198.18.9.1',
      '127.0.0.1:8081/udp': 'c1 198.18.9.1',
      '127.0.0.2:8081': undefined,
      [`${HOST}:8081`]: undefined,
      '[::1]:8082': expect.stringMatching(/^c1 /),
      '[::1]:8081': undefined,
    });
  });

  describe.each(BR_NETFILTER)('bridge-nf-call-iptables=%s', brNetfilter => {
    beforeEach(() => setBrNetfilter(host, brNetfilter));

    it.each(['0', '1'])(
      'is closed to a neighbour who routes it at the host, with route_localnet=%s',
      async value => {
        await host.host.sh(
          `for dev in all eth0; do echo ${value} > /proc/sys/net/ipv4/conf/$dev/route_localnet; done`,
        );
        try {
          expect(
            await neighbour.asks(
              ...[`${HOST}:8080`, '127.0.0.1:9999'],
              ...[
                '127.0.0.1:8081',
                '127.0.0.1:8081/udp',
                '127.0.0.1:8080',
                `${HOST}:8081`,
                `${HOST}:8081/udp`,
              ],
              ...['[::1]:8082', `[${HOST6}]:8082`],
              ...['198.18.9.2:80', '198.18.9.2:80/udp', '198.18.9.2:8081', '[2001:db8:9::2]:80'],
            ),
          ).toEqual({
            [`${HOST}:8080`]: `c1 ${neighbour.address}`,
            '127.0.0.1:9999': value === '1' ? 'service' : undefined,
          });
        } finally {
          await host.host.sh(
            'for dev in all eth0; do echo 0 > /proc/sys/net/ipv4/conf/$dev/route_localnet; done',
          );
        }
      },
    );

    it('opens no way from containers to what listens on 127.0.0.1 of the host', async () => {
      // CVE-2020-8558: the bridge has route_localnet=1 for the way in
      const bridges = 'cat /proc/sys/net/ipv4/conf/ts*/route_localnet';
      expect(String((await host.host.sh(bridges)).stdout)).toContain('1');
      await startContainer(host, 'bad', 'web');
      try {
        await inContainer(
          host,
          'bad',
          'bash',
          '-ec',
          `
          for dev in all eth0; do echo 1 > /proc/sys/net/ipv4/conf/$dev/route_localnet; done
          ip link set lo down; ip route add 127.0.0.1 via 198.18.9.1`,
        );
        const answers = await asks(
          inside(host, 'bad'),
          `${HOST}:8080`,
          '127.0.0.1:9999',
          '127.0.0.1:8081',
          '127.0.0.1:8080',
        );
        // as itself or as its gateway, with br_netfilter or without
        expect(answers).toEqual({ [`${HOST}:8080`]: expect.stringMatching(/^c1 198\.18\.9\./) });
      } finally {
        await host.docker('rm', '-f', 'bad');
      }
    });
  });
});
