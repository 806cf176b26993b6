import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Lab } from '../lab/lab.ts';
import { BR_NETFILTER, clean, createNetwork, setBrNetfilter } from './support/bridge-lab.ts';
import { type Pinger, startContainer } from './support/macvlan-lab.ts';
import { asks, expectUnpublished, inside, startServer } from './support/publish-lab.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

const LAN = '198.18.0.1';
const LAN6 = 'fd99::1';
const HOST = '198.18.0.11';
const HOST6 = '[fd99::b]';
/** Networks, and the host's own addresses on them. */
const DUAL = ['--subnet', '198.18.9.0/24', '--ipv6', '--subnet', '2001:db8:9::/64'];
const [DUAL_HOST, DUAL_HOST6] = ['198.18.9.1', '2001:db8:9::1'];
const FOUR = ['--subnet', '198.18.10.0/24'];
const FOUR_HOST = '198.18.10.1';
const OTHER = ['--subnet', '198.18.11.0/24', '--ipv6', '--subnet', '2001:db8:11::/64'];
const [OTHER_HOST, OTHER_HOST6] = ['198.18.11.1', '[2001:db8:11::1]'];

/**
 * Port 8080 is published by `both`, on a network with IPv4 and IPv6, and port 8090 by `four`, on one with IPv4 only,
 * each over TCP and UDP. `both2` and `four2` are on the same networks; `other` and `engine` on others, the latter on the
 * engine's own.
 */
describe.each(ENGINES)('published ports, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
    await createNetwork(host, 'dual', ...DUAL);
    await createNetwork(host, 'four', ...FOUR);
    await createNetwork(host, 'other', ...OTHER);
    await startServer(host, 'both', 'dual', '-p', '8080:80', '-p', '8080:80/udp');
    await startServer(host, 'four', 'four', '-p', '8090:80', '-p', '8090:80/udp');
    await startServer(host, 'both2', 'dual');
    await startContainer(host, 'four2', 'four');
    await startContainer(host, 'engine', 'bridge');
    await startServer(host, 'other', 'other');
  });
  afterAll(async () => {
    try {
      await host.docker('rm', '-f', ...(await host.docker('ps', '-aq')).split('\n'));
      await expectUnpublished(host, '0.0.0.0:8080/tcp', '[::]:8080/udp', '[::]:8090/tcp', '[::1]:8090/udp');
      await clean(host);
    } finally {
      await lab?.destroy();
    }
  });

  /** What is to be said at each place, over TCP as over UDP. */
  async function expectAnswers(from: Pinger, expected: Record<string, unknown>): Promise<void> {
    const twice = Object.entries(expected).flatMap(([place, answer]) =>
      ['', '/udp'].map(protocol => [`${place}${protocol}`, answer] as const),
    );
    expect(await asks(from, ...twice.map(([place]) => place))).toEqual(Object.fromEntries(twice));
  }
  const said = (name: string) => expect.stringMatching(new RegExp(`^${name} `));

  describe.each(BR_NETFILTER)('bridge-nf-call-iptables=%s', brNetfilter => {
    beforeEach(() => setBrNetfilter(host, brNetfilter));

    it('answer the LAN, whose addresses the containers see', async () => {
      await expectAnswers(lab.lan, {
        [`${HOST}:8080`]: `both ${LAN}`,
        [`${HOST6}:8080`]: `both ${LAN6}`,
        [`${HOST}:8090`]: `four ${LAN}`,
        // relayed: no rule translates between families
        [`${HOST6}:8090`]: `four ${FOUR_HOST}`,
      });
    });

    it('answer the host by any of its addresses, 127.0.0.1 and ::1 among them', async () => {
      await expectAnswers(host.host, {
        [`${HOST}:8080`]: `both ${HOST}`,
        [`${DUAL_HOST}:8080`]: `both ${DUAL_HOST}`,
        [`${OTHER_HOST}:8080`]: `both ${OTHER_HOST}`,
        '127.0.0.1:8080': `both ${DUAL_HOST}`,
        '127.1.2.3:8080': `both ${DUAL_HOST}`,
        [`${HOST6}:8080`]: `both ${HOST6.slice(1, -1)}`,
        [`${OTHER_HOST6}:8080`]: `both ${OTHER_HOST6.slice(1, -1)}`,
        '[::1]:8080': said('both'),
        [`${HOST}:8090`]: `four ${HOST}`,
        '127.0.0.1:8090': `four ${FOUR_HOST}`,
        [`${HOST6}:8090`]: `four ${FOUR_HOST}`,
        '[::1]:8090': `four ${FOUR_HOST}`,
      });
    });

    it('answer containers of other networks by the addresses of the host, as from the gateway', async () => {
      await expectAnswers(inside(host, 'other'), {
        [`${HOST}:8080`]: `both ${DUAL_HOST}`,
        [`${OTHER_HOST}:8080`]: `both ${DUAL_HOST}`,
        [`${HOST6}:8080`]: `both ${DUAL_HOST6}`,
        [`${OTHER_HOST6}:8080`]: `both ${DUAL_HOST6}`,
        [`${HOST}:8090`]: `four ${FOUR_HOST}`,
        [`${HOST6}:8090`]: `four ${FOUR_HOST}`,
      });
      await expectAnswers(inside(host, 'four'), { [`${HOST}:8080`]: `both ${DUAL_HOST}` });
      await expectAnswers(inside(host, 'engine'), {
        [`${HOST}:8080`]: said('both'),
        [`${HOST}:8090`]: said('four'),
      });
    });

    it('answer the container itself by the addresses of the host, as from its gateway', async () => {
      await expectAnswers(inside(host, 'both'), {
        [`${HOST}:8080`]: `both ${DUAL_HOST}`,
        [`${DUAL_HOST}:8080`]: `both ${DUAL_HOST}`,
        [`${HOST6}:8080`]: `both ${DUAL_HOST6}`,
        [`[${DUAL_HOST6}]:8080`]: `both ${DUAL_HOST6}`,
      });
      await expectAnswers(inside(host, 'four'), {
        [`${HOST}:8090`]: `four ${FOUR_HOST}`,
        [`${FOUR_HOST}:8090`]: `four ${FOUR_HOST}`,
      });
    });

    it('answer its neighbours on the network by the addresses of the host', async () => {
      // Without br_netfilter the bridge would carry the answer past conntrack, unless it goes to the host. With it, the
      // engine's own bridges keep the address, and so does tsnet.
      const kept = brNetfilter === '1';
      const client = kept ? '198.18.9.3' : DUAL_HOST;
      const client6 = kept ? '2001:db8:9::3' : DUAL_HOST6;
      await expectAnswers(inside(host, 'both2'), {
        [`${HOST}:8080`]: `both ${client}`,
        [`${DUAL_HOST}:8080`]: `both ${client}`,
        [`${HOST6}:8080`]: `both ${client6}`,
        [`[${DUAL_HOST6}]:8080`]: `both ${client6}`,
      });
      await expectAnswers(inside(host, 'four2'), {
        [`${HOST}:8090`]: `four ${kept ? '198.18.10.3' : FOUR_HOST}`,
      });
    });

    it('are open to others at the address of the host only, and are no other ports', async () => {
      // behind the port, not of it
      await expectAnswers(lab.lan, { [`${HOST}:8081`]: undefined, [`${HOST}:80`]: undefined });
      await expectAnswers(inside(host, 'other'), {
        '198.18.9.2:80': undefined,
        '198.18.9.2:8080': undefined,
        '[2001:db8:9::2]:80': undefined,
        '198.18.10.2:80': undefined,
      });
      // a neighbour on the same network has both ways
      await expectAnswers(inside(host, 'both2'), { '198.18.9.2:80': 'both 198.18.9.3' });
    });
  });
});
