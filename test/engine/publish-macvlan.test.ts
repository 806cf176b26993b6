import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { LabNode } from '../lab/node.ts';
import { waitFor } from '../lab/wait.ts';
import { startRestored } from './support/host-view.ts';
import { LAN4, LAN6, macOf, markedRoutes, neighbourOf, theShim } from './support/macvlan-lab.ts';
import { type Asker, icmp, PolicyLab, SECOND, tcp, udp } from './support/policy-lab.ts';
import { ENGINES, type TsnetHost } from './support/tsnet-host.ts';

const LOOPBACK = { address4: '127.0.0.1', address6: '::1' };
const RANGE4 = ['--ip-range', '198.18.0.192/27', '-o', 'parent=eth0'];
const RANGE6 = ['--ip-range', 'fd99::a:0/112'];
const IPV4 = [...LAN4, ...RANGE4];
const DUAL = [...IPV4, ...LAN6, ...RANGE6];
/** Engines from 28 on ask for ports (ProgramExternalConnectivity) only where a network has a gateway. */
const NO_GATEWAY = ['--subnet', '198.18.0.0/24', ...RANGE4, '--ipv6', '--subnet', 'fd99::/64', ...RANGE6];
const WEB = ['-p', '80:8080', '-p', '80:8080/udp'];
const NOWHERE = / are published nowhere/;

describe.each(ENGINES)('ports of containers on a LAN, engine %s', engine => {
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

  const ofHost = () => ({ address4: host.host.address, address6: host.host.address6 });

  /** One port by both protocols and both families, at somebody's addresses. */
  const ask = (asker: Asker, of: { address4: string; address6: string }, port = 80) =>
    at.ask(asker, {
      tcp4: tcp(of.address4, port),
      udp4: udp(of.address4, port),
      tcp6: tcp(of.address6, port),
      udp6: udp(of.address6, port),
    });
  /** The same over IPv4 alone. */
  const ask4 = (asker: Asker, { address4 }: { address4: string }, port = 80) =>
    at.ask(asker, { tcp4: tcp(address4, port), udp4: udp(address4, port) });

  const both4 = (answer: string) => ({ tcp4: answer, udp4: answer });
  const everyWay = (answer4: string, answer6 = answer4) => ({
    ...both4(answer4),
    tcp6: answer6,
    udp6: answer6,
  });
  const forLan = (name: string) => everyWay(`${name} 198.18.0.1`, `${name} fd99::1`);
  /** The clients are on the container's own LAN: it would answer them past the host if it knew them. */
  const asHost = (name: string) => everyWay(`${name} ${host.host.address}`, `${name} ${host.host.address6}`);

  it("are on the container's own address by default, for all who reach it", async () => {
    await create('lan', DUAL);
    const [web, peer] = await Promise.all([at.run('web', 'lan', [8080], ...WEB), at.run('peer', 'lan')]);
    expect(await ask(lan, web)).toEqual(forLan('web'));
    expect(await ask(host.host, web)).toEqual(asHost('web'));
    expect(await ask('peer', web)).toEqual(everyWay(`web ${peer.address4}`, `web ${peer.address6}`));
    expect(await ask('web', web)).toEqual(everyWay(`web ${web.address4}`, `web ${web.address6}`));
    // on the LAN the container is itself, with all its ports
    expect(await ask(lan, web, 8080)).toEqual(forLan('web'));
    // and the host has none of it
    for (const asker of [lan, host.host, 'peer', 'web'])
      expect(await ask(asker, ofHost())).toEqual(everyWay('refused'));
    expect(await ask(host.host, LOOPBACK)).toEqual(everyWay('refused'));
  });

  it("are on the host's addresses with publish=host, through the shim, and not on its own", async () => {
    await create('lan', DUAL, { publish: 'host' });
    const [web] = await Promise.all([at.run('web', 'lan', [8080], ...WEB), at.run('peer', 'lan')]);
    for (const asker of [lan, host.host, 'peer', 'web']) {
      expect(await ask(asker, ofHost())).toEqual(asHost('web'));
      expect(await ask(asker, web)).toEqual(everyWay('refused'));
    }
    expect(await ask(host.host, LOOPBACK)).toEqual(asHost('web'));
    expect(await ask(lan, web, 8080)).toEqual(forLan('web'));
    // 127.0.0.1 of a container is its own
    expect(await ask('peer', LOOPBACK)).toEqual(everyWay('refused'));
  });

  it('are on both with publish=both', async () => {
    await create('lan', DUAL, { publish: 'both' });
    const web = await at.run('web', 'lan', [8080], ...WEB);
    expect(await ask(lan, web)).toEqual(forLan('web'));
    expect(await ask(host.host, web)).toEqual(asHost('web'));
    expect(await ask('web', web)).toEqual(everyWay(`web ${web.address4}`, `web ${web.address6}`));
    for (const asker of [lan, host.host, 'web']) expect(await ask(asker, ofHost())).toEqual(asHost('web'));
    expect(await ask(host.host, LOOPBACK)).toEqual(asHost('web'));
  });

  it('are nowhere with publish=off, which the log says', async () => {
    await create('lan', IPV4, { publish: 'off' });
    const logged = host.log().length;
    const web = await at.run('web', 'lan', [8080], ...WEB);
    for (const asker of [lan, host.host, 'web']) {
      expect(await ask4(asker, web)).toEqual(both4('refused'));
      expect(await ask4(asker, ofHost())).toEqual(both4('refused'));
    }
    expect(await ask4(lan, web, 8080)).toEqual(both4('web 198.18.0.1'));
    expect(host.log().slice(logged)).toMatch(/2 port\(s\) are published nowhere/);
  });

  it.each(['self', 'host'] as const)('are where they are asked for without a gateway: %s', async publish => {
    await create('lan', NO_GATEWAY, { publish });
    const web = await at.run('web', 'lan', [8080], ...WEB);
    expect(await ask(lan, publish === 'self' ? web : ofHost())).toEqual(
      publish === 'self' ? forLan('web') : asHost('web'),
    );
    expect(await ask(host.host, publish === 'self' ? web : LOOPBACK)).toEqual(asHost('web'));
    expect(await ask(lan, publish === 'self' ? ofHost() : web)).toEqual(everyWay('refused'));
  });

  it.each(['self', 'host'])('that are for one address of the host only, with publish=%s', async publish => {
    await create('lan', IPV4, { publish });
    const logged = host.log().length;
    const web = await at.run('web', 'lan', [8080], '-p', '127.0.0.1:80:8080', '-p', '127.0.0.1:80:8080/udp');
    for (const asker of [lan, 'web']) {
      expect(await ask4(asker, web)).toEqual(both4('refused'));
      expect(await ask4(asker, ofHost())).toEqual(both4('refused'));
    }
    const onHost = publish === 'host';
    expect(await ask4(host.host, LOOPBACK)).toEqual(both4(onHost ? `web ${host.host.address}` : 'refused'));
    expect(NOWHERE.test(host.log().slice(logged))).toBe(!onHost);
  });

  it('are there for each of two containers that ask for the same one', async () => {
    await create('lan', IPV4);
    const one = await at.run('one', 'lan', [8080], ...WEB);
    const two = await at.run('two', 'lan', [8080], ...WEB);
    expect(await ask4(lan, one)).toEqual(both4('one 198.18.0.1'));
    expect(await ask4(lan, two)).toEqual(both4('two 198.18.0.1'));
    expect(await ask4('one', two)).toEqual(both4(`two ${one.address4}`));
    expect(await ask4('two', two)).toEqual(both4(`two ${two.address4}`));
  });

  it('are refused to a second one where the host has but one', async () => {
    await create('lan', IPV4, { publish: 'host' });
    const one = await at.run('one', 'lan', [8080], '-p', '80:8080');
    const run = ['run', '-d', '--name', 'two', '--network', 'lan', '-p', '80:8080', 'busybox', 'sleep', '1d'];
    expect(await host.refused(...run)).toMatch(/PORT_TAKEN: port 0\.0\.0\.0:80\/tcp .*198\.18\.0\.192/);
    const question = { host: tcp(host.host.address, 80) };
    expect(await at.ask(lan, question)).toEqual({ host: `one ${host.host.address}` });
    // what was begun for the second is undone, and nothing of the first
    expect(await markedRoutes(host)).toEqual([one.address4]);
    await host.docker('rm', '-f', 'one');
    await host.docker('start', 'two');
    await at.serve('two', [8080]);
    expect(await at.ask(lan, question)).toEqual({ host: `two ${host.host.address}` });
  });

  it("are relayed from the host's IPv6 addresses to a container that has IPv4 only", async () => {
    await create('lan', IPV4, { publish: 'host' });
    await at.run('web', 'lan', [8080], ...WEB);
    const answer = everyWay(`web ${host.host.address}`);
    expect(await ask(lan, ofHost())).toEqual(answer);
    expect(await ask(host.host, ofHost())).toEqual(answer);
    expect(await ask(host.host, LOOPBACK)).toEqual(answer);
  });

  it("on the host are open to the network's allow_from, by the address that clients really have", async () => {
    const allow_from = '198.18.0.201,fd99::200/120';
    await create('lan', DUAL, { publish: 'host', allow_from });
    await at.run('web', 'lan', [8080], ...WEB);
    await at.withSecondClient(async () => {
      const from = (source4?: string, source6?: string) =>
        at.ask(lan, {
          tcp4: tcp(host.host.address, 80, source4),
          udp4: udp(host.host.address, 80, source4),
          tcp6: tcp(host.host.address6, 80, source6),
          udp6: udp(host.host.address6, 80, source6),
        });
      expect(await from(SECOND.address4, SECOND.address6)).toEqual(asHost('web'));
      expect(await from('198.18.0.1', 'fd99::1')).toEqual(everyWay('silence'));
    });
    expect(await ask(host.host, LOOPBACK)).toEqual(asHost('web'));
    expect(await ask(host.host, ofHost())).toEqual(asHost('web'));
  });

  it('that are refused leave the address free for the next start at once', async () => {
    await create('lan', DUAL, { publish: 'host' });
    await at.run('first', 'lan', [80], '-p', '80:80');
    for (let start = 0; start < 5; start++) {
      const args = ['--network', 'lan', '--ip', '198.18.0.200', '--name', 'second'];
      expect(await host.refused('run', '-d', ...args, '-p', '80:80', 'busybox', 'sleep', '1d')).toContain(
        'PORT_TAKEN',
      );
      await host.docker('rm', '-f', 'second');
      // Of the same MAC: an interface of the first attempt would be in its way.
      await host.docker('run', '-d', ...args, 'busybox', 'sleep', '1d');
      await host.docker('rm', '-f', 'second');
    }
  });

  it('outlive the daemon, its crash, and the restart of the container', async () => {
    await create('lan', IPV4, { publish: 'both' });
    const web = await at.run('web', 'lan', [8080], ...WEB);
    const expectAll = async () => {
      expect(await ask4(lan, web)).toEqual(both4('web 198.18.0.1'));
      expect(await ask4(lan, ofHost())).toEqual(both4(`web ${host.host.address}`));
    };
    for (const signal of ['TERM', 'KILL'] as const) {
      await host.stop(signal);
      await expectAll();
      await startRestored(host);
      await expectAll();
    }
    await host.docker('restart', '-t', '0', 'web');
    await at.serve('web', [8080]);
    expect((await at.attached('web', 'lan')).address4).toBe(web.address4);
    await expectAll();
  });

  it('are there again after a boot', async () => {
    await create('lan', IPV4, { publish: 'both' });
    const web = await at.run('web', 'lan', [8080], ...WEB, '--restart', 'always', '--ip', '198.18.0.200');
    await at.reboot();
    await waitFor(async () => (await host.docker('inspect', '-f', '{{.State.Running}}', 'web')) === 'true', {
      what: 'the container to run again',
    });
    await at.serve('web', [8080]);
    expect(await ask4(lan, web)).toEqual(both4('web 198.18.0.1'));
    expect(await ask4(lan, ofHost())).toEqual(both4(`web ${host.host.address}`));
  });

  it("are made good by the daemon's next start where somebody has flushed the container's own rules", async () => {
    await create('lan', IPV4);
    const web = await at.run('web', 'lan', [8080], ...WEB);
    const pid = await host.docker('inspect', '-f', '{{.State.Pid}}', 'web');
    await host.host.exec('nsenter', ['-t', pid, '-n', 'nft', 'flush', 'ruleset']);
    expect(await ask4(lan, web)).toEqual(both4('refused'));
    await host.stop();
    await startRestored(host);
    expect(await ask4(lan, web)).toEqual(both4('web 198.18.0.1'));
  });

  it('leave the LAN knowing the host by its own MAC', async () => {
    await create('lan', DUAL, { publish: 'both' });
    const web = await at.run('web', 'lan', [8080], ...WEB);
    const [parentMac, shimMac] = [
      await macOf(host.host, 'eth0'),
      await macOf(host.host, await theShim(host)),
    ];
    const flush = () =>
      Promise.all(['-4', '-6'].map(f => lan.exec('ip', [f, 'neigh', 'flush', 'dev', 'br0'])));
    const watch = await lan.spawn('ip', ['monitor', 'neigh']);
    // The shim does answer who asks for the host's IPv6 addresses, in a way that gives way to the parent's answer (NDP
    // proxies, override flag off).
    const filter = `ether src ${shimMac} and not (icmp6 and ip6[40] == 136)`;
    const capture = await lan.spawn('tcpdump', ['-l', '-nn', '-e', '-i', 'br0', filter]);
    await capture.waitForOutput('listening on');
    for (let round = 0; round < 3; round++) {
      await flush();
      expect(await ask(lan, ofHost())).toEqual(asHost('web'));
      expect(await ask(lan, web)).toEqual(forLan('web'));
      expect(await at.ask(host.host, { v4: icmp('198.18.0.1'), v6: icmp('fd99::1') })).toEqual({
        v4: 'echo',
        v6: 'echo',
      });
      expect(await neighbourOf(lan, host.host.address)).toBe(parentMac);
      expect(await neighbourOf(lan, host.host.address6)).toBe(parentMac);
    }
    await Promise.all([capture.stop(), watch.stop()]);
    expect(watch.output()).toContain(parentMac);
    expect(watch.output()).not.toContain(shimMac);
    expect(capture.output()).not.toContain(`${shimMac} > `);
  });

  it.each([
    [['shim=false', 'publish=host'], 'OPTION_CONFLICT: option publish=host needs the shim'],
    [['macvlan_mode=private', 'publish=both'], 'OPTION_CONFLICT: option publish=both needs the shim'],
    [['publish=hots'], 'OPTION_INVALID: option publish="hots" is not one of self, host, both, off; host'],
  ])('are refused with %j', async (options, words) => {
    const given = options.flatMap(option => ['-o', option]);
    const create = ['network', 'create', '-d', 'tsnet', ...IPV4, ...given, 'lan'];
    expect(await host.refused(...create)).toContain(words);
  });
});
