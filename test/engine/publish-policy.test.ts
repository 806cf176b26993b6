import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { LabNode } from '../lab/node.ts';
import { BR_NETFILTER, setBrNetfilter, withRoute } from './support/bridge-lab.ts';
import { bridgeOf } from './support/host-view.ts';
import { type Attached, inContainer, ipJson, startContainer } from './support/macvlan-lab.ts';
import { type Asker, icmp, PolicyLab, SECOND, tcp, udp } from './support/policy-lab.ts';
import { ENGINES, type TsnetHost } from './support/tsnet-host.ts';

const FIRST = { address4: '198.18.0.1', address6: 'fd99::1' };
const RED = ['--subnet', '198.18.8.0/24'];
const RED6 = ['--ipv6', '--subnet', '2001:db8:8::/64'];
const WEB = ['--subnet', '198.18.9.0/24'];
const WEB6 = ['--ipv6', '--subnet', '2001:db8:9::/64'];
/** The server of the container listens on 80 and 81; 80 is published. */
const PUBLISHED = ['-p', '8080:80', '-p', '8080:80/udp'];

describe.each(ENGINES)('who reaches published ports, engine %s', engine => {
  let at: PolicyLab;
  let host: TsnetHost;
  let lan: LabNode;

  beforeAll(async () => {
    at = await PolicyLab.create(engine);
    host = at.host;
    lan = at.lab.lan;
  });
  afterEach(() => at.clean());
  afterAll(() => at?.lab.destroy());

  const create = (...args: Parameters<PolicyLab['network']>) => at.network(...args);
  const web = (network = 'web') => at.run('web', network, [80, 81], ...PUBLISHED);

  /** The published port by the host's addresses. */
  const byHost = (asker: Asker, source?: { address4: string; address6: string }) =>
    at.ask(asker, {
      tcp4: tcp(host.host.address, 8080, source?.address4),
      udp4: udp(host.host.address, 8080, source?.address4),
      tcp6: tcp(host.host.address6, 8080, source?.address6),
      udp6: udp(host.host.address6, 8080, source?.address6),
    });
  const byHost4 = (asker: Asker, source?: string) =>
    at.ask(asker, {
      tcp4: tcp(host.host.address, 8080, source),
      udp4: udp(host.host.address, 8080, source),
    });
  const byLoopback = () =>
    at.ask(host.host, {
      tcp4: tcp('127.0.0.1', 8080),
      udp4: udp('127.0.0.1', 8080),
      tcp6: tcp('::1', 8080),
      udp6: udp('::1', 8080),
    });
  /** The container itself: the port that is published, another, and ping. */
  const byContainer = (asker: Asker, { address4 }: Attached) =>
    at.ask(asker, {
      tcp: tcp(address4, 80),
      udp: udp(address4, 80),
      other: tcp(address4, 81),
      ping: icmp(address4),
    });
  const both = (answer: string) => ({ tcp4: answer, udp4: answer });
  const all = (answer4: string, answer6 = answer4) => ({ ...both(answer4), tcp6: answer6, udp6: answer6 });
  const SHUT = { tcp: 'silence', udp: 'silence', other: 'silence', ping: 'silence' };
  const openTo = (client: string) => ({
    tcp: `web ${client}`,
    udp: `web ${client}`,
    other: `web ${client}`,
    ping: 'echo',
  });

  describe('networks beside each other', () => {
    it('reach what the other publishes by the address of the host, and nothing else', async () => {
      await create('web', [...WEB, ...WEB6]);
      await create('red', [...RED, ...RED6]);
      const [target] = await Promise.all([web(), at.run('red', 'red')]);
      expect(await byHost('red')).toEqual(all('web 198.18.9.1', expect.stringMatching(/^web 2001:db8:9/)));
      expect(await byContainer('red', target)).toEqual(SHUT);
      expect(await at.ask('red', { tcp6: tcp(target.address6, 80), ping6: icmp(target.address6) })).toEqual({
        tcp6: 'silence',
        ping6: 'silence',
      });
      // nor by the other network's gateway address, which is one of the host's: there the port is published too
      expect(await at.ask('red', { open: tcp('198.18.9.1', 8080), other: tcp('198.18.9.1', 81) })).toEqual({
        open: 'web 198.18.9.1',
        other: 'refused',
      });
    });

    it('reach each other where both have isolation=off', async () => {
      await create('web', [...WEB, ...WEB6], { isolation: 'off' });
      await create('red', [...RED, ...RED6], { isolation: 'off' });
      await create('blue', ['--subnet', '198.18.10.0/24']);
      const [target, red] = await Promise.all([web(), at.run('red', 'red', [80]), at.run('blue', 'blue')]);
      expect(await byContainer('red', target)).toEqual(openTo(red.address4));
      expect(await at.ask('red', { tcp6: tcp(target.address6, 81), ping6: icmp(target.address6) })).toEqual({
        tcp6: `web ${red.address6}`,
        ping6: 'echo',
      });
      expect(await at.ask('web', { back: tcp(red.address4, 80) })).toEqual({
        back: `red ${target.address4}`,
      });
      // a third that has it on is not meant, nor is the LAN
      expect(await byContainer('blue', target)).toEqual(SHUT);
      await withRoute(lan, ['198.18.9.0/24', 'via', host.host.address], async () => {
        expect(await byContainer(lan, target)).toEqual(SHUT);
      });
    });

    it.each(['web', 'red'])('stay apart where only one has it off: %s', async open => {
      await create('web', WEB, open === 'web' ? { isolation: 'off' } : {});
      await create('red', RED, open === 'red' ? { isolation: 'false' } : {});
      const [target, red] = await Promise.all([web(), at.run('red', 'red', [80])]);
      const [direct, back, published] = await Promise.all([
        byContainer('red', target),
        at.ask('web', { back: tcp(red.address4, 80) }),
        byHost4('red'),
      ]);
      expect([direct, back]).toEqual([SHUT, { back: 'silence' }]);
      expect(published).toEqual(both('web 198.18.9.1'));
    });
  });

  describe('an internal network', () => {
    it('publishes nothing, whatever its isolation', async () => {
      await create('inner', [...WEB, '--internal'], { isolation: 'off' });
      await create('red', RED, { isolation: 'off' });
      const [target, red] = await Promise.all([web('inner'), at.run('red', 'red', [80])]);
      for (const asker of [lan, host.host]) expect(await byHost(asker)).toEqual(all('refused'));
      expect(await byHost4('red')).toEqual(both('refused'));
      expect(await byContainer('red', target)).toEqual(SHUT);
      expect(await byContainer(host.host, target)).toEqual(openTo('198.18.9.1'));
      await inContainer(host, 'web', 'ip', 'route', 'add', 'default', 'via', '198.18.9.1');
      expect(await at.ask('web', { red: tcp(red.address4, 80), lan: icmp(FIRST.address4) })).toEqual({
        red: 'silence',
        lan: 'silence',
      });
    });

    it('does not reach what others publish on the host', async () => {
      await create('web', WEB);
      await create('inner', [...RED, '--internal']);
      await Promise.all([web(), at.run('inside', 'inner')]);
      await inContainer(host, 'inside', 'ip', 'route', 'add', 'default', 'via', '198.18.8.1');
      expect(await byHost4('inside')).toEqual(both('silence'));
      expect(await at.ask('inside', { gateway: tcp('198.18.8.1', 8080) })).toEqual({ gateway: 'silence' });
    });
  });

  describe.each(BR_NETFILTER)('enable_icc=false, bridge-nf-call-iptables=%s', brNetfilter => {
    beforeAll(() => setBrNetfilter(host, brNetfilter));
    afterAll(() => setBrNetfilter(host, '1'));

    it('parts its containers, and publishes to the LAN, the host and other networks as ever', async () => {
      await create('web', WEB, { enable_icc: 'false' });
      await create('red', RED);
      const [target] = await Promise.all([web(), at.run('peer', 'web'), at.run('red', 'red')]);
      expect(await byContainer('peer', target)).toEqual(SHUT);
      expect(await byHost4(lan)).toEqual(both('web 198.18.0.1'));
      expect(await byHost4('red')).toEqual(both('web 198.18.9.1'));
      expect(await byHost4(host.host)).toEqual(both(`web ${host.host.address}`));
    });

    it('leaves to its own containers what is published, by the address of the host', async () => {
      await create('web', WEB, { enable_icc: 'false' });
      await Promise.all([web(), at.run('peer', 'web')]);
      // Seen as the bridge's own address: the answer has to come back by way of the host.
      // with br_netfilter the packet stays on the bridge, which keeps its ports apart
      const answer = both(brNetfilter === '1' ? 'silence' : 'web 198.18.9.1');
      expect(await byHost4('peer')).toEqual(answer);
      expect(await byHost4('web')).toEqual(answer);
    });
  });

  describe('allow_from', () => {
    it('opens to the addresses and networks it names, and to the host, by both families', async () => {
      await create('web', [...WEB, ...WEB6], { allow_from: '198.18.0.201, fd99::200/120' });
      await web();
      await at.withSecondClient(async () => {
        expect(await byHost(lan, SECOND)).toEqual(all('web 198.18.0.201', 'web fd99::201'));
        expect(await byHost(lan, FIRST)).toEqual(all('silence'));
      });
      expect(await byHost(host.host)).toEqual(all(`web ${host.host.address}`, `web ${host.host.address6}`));
      expect(await byLoopback()).toEqual(all('web 198.18.9.1', 'web 2001:db8:9::1'));
    });

    it('of one family leaves nobody but the host in the other', async () => {
      await create('web', [...WEB, ...WEB6], { allow_from: '198.18.0.0/24' });
      await web();
      expect(await byHost(lan)).toEqual(all('web 198.18.0.1', 'silence'));
      expect(await byHost(host.host)).toEqual(all(`web ${host.host.address}`, `web ${host.host.address6}`));
      expect(await byLoopback()).toEqual(all('web 198.18.9.1', 'web 2001:db8:9::1'));
    });

    it('leaves out containers of other networks unless it names them, and never those of its own', async () => {
      await create('web', WEB, { allow_from: '198.18.8.128/25' });
      await create('red', RED);
      await Promise.all([
        web(),
        at.run('named', 'red', [], '--ip', '198.18.8.200'),
        at.run('other', 'red', [], '--ip', '198.18.8.20'),
        at.run('peer', 'web'),
      ]);
      expect(await Promise.all(['named', 'other', 'peer', lan].map(asker => byHost4(asker)))).toEqual([
        both('web 198.18.9.1'),
        both('silence'),
        // as itself or as its gateway, with br_netfilter or without
        both(expect.stringMatching(/^web 198\.18\.9\./)),
        both('silence'),
      ]);
    });

    it('holds for what is relayed from IPv6 to a container that has IPv4 only', async () => {
      await create('web', WEB, { allow_from: 'fd99::200/120,198.18.0.1' });
      await web();
      await at.withSecondClient(async () => {
        expect(await byHost(lan, SECOND)).toMatchObject({ tcp6: 'web 198.18.9.1', udp6: 'web 198.18.9.1' });
        expect(await byHost(lan, FIRST)).toEqual({
          ...both('web 198.18.0.1'),
          tcp6: 'closed',
          udp6: 'silence',
        });
      });
      expect(await byHost(host.host)).toEqual(all(`web ${host.host.address}`, 'web 198.18.9.1'));
      expect(await byLoopback()).toEqual(all('web 198.18.9.1'));
    });

    it('goes with its container: the next one with its address is not restricted', async () => {
      await create('web', WEB, { allow_from: SECOND.address4 });
      const target = await web();
      expect(await byHost4(lan)).toEqual(both('silence'));
      await host.docker('rm', '-f', 'web');
      await host.docker('network', 'rm', 'web');
      await create('web', WEB);
      expect((await web()).address4).toBe(target.address4);
      expect(await byHost4(lan)).toEqual(both('web 198.18.0.1'));
    });

    it('does not end what was let in before, nor does the start of the daemon', async () => {
      await create('web', WEB, { allow_from: SECOND.address4 });
      await web();
      await host.restart('KILL');
      await at.withSecondClient(async () => {
        expect(await byHost4(lan, SECOND.address4)).toEqual(both('web 198.18.0.201'));
        expect(await byHost4(lan, FIRST.address4)).toEqual(both('silence'));
      });
    });

    it.each([
      ['allow_from=lan', 'OPTION_INVALID: option allow_from="lan" is not a list of addresses or CIDRs'],
      ['allow_from=198.18.0.0/33', 'OPTION_INVALID: option allow_from="198.18.0.0/33" is not a list'],
      ['allow_from=', 'OPTION_INVALID: option allow_from="" is not a list'],
      ['isolation=maybe', 'OPTION_INVALID: option isolation="maybe" is not true or false'],
    ])('%s is refused in words', async (option, words) => {
      const create = ['network', 'create', '-d', 'tsnet', ...WEB, '-o', option, 'web'];
      expect(await host.refused(...create)).toContain(words);
    });
  });

  it('the LAN gets to no container by its own address, not even to what is published', async () => {
    await create('web', [...WEB, ...WEB6]);
    const target = await web();
    await withRoute(lan, ['198.18.9.0/24', 'via', host.host.address], () =>
      withRoute(lan, ['2001:db8:9::/64', 'via', host.host.address6], async () => {
        expect(await byContainer(lan, target)).toEqual(SHUT);
        expect(
          await at.ask(lan, {
            tcp: tcp(target.address6, 80),
            udp: udp(target.address6, 80),
            other: tcp(target.address6, 81),
            ping: icmp(target.address6),
          }),
        ).toEqual(SHUT);
        // and by the host's address it does, which has one of the networks as well
        expect(await byHost(lan)).toEqual(all('web 198.18.0.1', 'web fd99::1'));
      }),
    );
  });

  it('are reached over IPv6 as soon as the first container of a network runs', async () => {
    await create('web', [...WEB, ...WEB6]);
    await startContainer(host, 'web', 'web');
    // The host finds no neighbour while its own address on the bridge waits for duplicate address detection.
    const bridge = await bridgeOf(host, 'web');
    const [link] = await ipJson(host.host, '-6', 'addr', 'show', 'dev', bridge);
    const addresses = link?.['addr_info'] as { tentative?: true }[];
    expect(addresses.filter(address => address.tentative)).toEqual([]);
  });
});
