import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../lab/lab.ts';
import { firewallElements, linkIndexes, startRestored } from './support/host-view.ts';
import { type Attached, LAN4, reaches, startContainer } from './support/macvlan-lab.ts';
import { unansweredDuring } from './support/ping-series.ts';
import { soon } from './support/soon.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

describe.each(ENGINES)('tsnet restarted under running containers, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;
  let web2: Attached;
  let lan1: Attached;

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
    await host.docker('network', 'create', '-d', 'tsnet', 'web');
    const lan = [...LAN4, '--ip-range', '198.18.0.192/27', '-o', 'parent=eth0', 'lan'];
    await host.docker('network', 'create', '-d', 'tsnet', ...lan);
    await startContainer(host, 'web1', 'web');
    web2 = await startContainer(host, 'web2', 'web');
    lan1 = await startContainer(host, 'lan1', 'lan');
  });
  afterAll(() => lab?.destroy());

  it.each(['TERM', 'KILL'] as const)('loses no packet and rebuilds nothing (%s)', async signal => {
    const before = { links: await linkIndexes(host), firewall: await firewallElements(host) };
    expect(Object.keys(before.links)).toHaveLength(4); // a bridge, two ports and a shim
    const logged = host.log().length;

    const unanswered = await unansweredDuring(
      {
        'container to container': [{ on: host, container: 'web1' }, web2.address4],
        'container to LAN, by NAT': [{ on: host, container: 'web1' }, '198.18.0.1'],
        'LAN to macvlan container': [lab.lan, lan1.address4],
        'host to macvlan container': [host.host, lan1.address4],
        'host to bridge container': [host.host, web2.address4],
      },
      async more => {
        await host.stop(signal);
        await more(5);
        await startRestored(host);
        await more(10);
      },
    );
    expect(unanswered).toEqual({
      'container to container': [],
      'container to LAN, by NAT': [],
      'LAN to macvlan container': [],
      'host to macvlan container': [],
      'host to bridge container': [],
    });
    expect({ links: await linkIndexes(host), firewall: await firewallElements(host) }).toEqual(before);
    // the first reconcile found nothing to do
    const entry = host
      .log()
      .slice(logged)
      .split('\n')
      .find(line => line.includes('reason=start'));
    expect(entry).toBeDefined();
    expect(entry).not.toContain('changed=');
  });

  it('goes on serving those containers: stop, start, connect, disconnect', async () => {
    const mac = web2.mac;
    await host.docker('stop', '-t', '0', 'web2');
    await soon(async () => expect(Object.keys(await linkIndexes(host))).toHaveLength(3));
    await host.docker('start', 'web2');
    await reaches({ on: host, container: 'web1' }, 'web2');
    expect((await host.attachment('web2', 'web'))['MacAddress']).toBe(mac);

    await host.docker('network', 'connect', 'lan', 'web1');
    const onLan = String((await host.attachment('web1', 'lan'))['IPAddress']);
    await reaches(lab.lan, onLan);
    await reaches(host.host, onLan);
    await host.docker('network', 'disconnect', 'lan', 'web1');
    expect(await host.pings(onLan)).toBe(false);
    expect(await host.pings('web2', { container: 'web1' })).toBe(true);

    await host.docker('rm', '-f', 'web1', 'web2', 'lan1');
    await host.docker('network', 'rm', 'web', 'lan');
    await soon(async () => expect(await host.links()).toEqual([]));
  });
});
