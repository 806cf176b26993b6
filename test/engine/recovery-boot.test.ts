import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Lab } from '../lab/lab.ts';
import { waitFor } from '../lab/wait.ts';
import { ownElements } from './support/bridge-lab.ts';
import { engineView, linkIndexes, linksCalledFor, startRestored, store } from './support/host-view.ts';
import { attached, ipJson, LAN4, macOf, reaches, startContainer, theShim } from './support/macvlan-lab.ts';
import { ENGINES, TsnetHost } from './support/tsnet-host.ts';

describe.each(ENGINES)('host rebooted, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;

  /** As the units do it: tsnet is ready before the engine starts. */
  const start = async () => {
    await startRestored(host);
    await host.host.startEngine();
  };

  beforeAll(async () => {
    lab = await Lab.create({ disk: 'dir', hosts: [{ engine, autostart: false }] });
    host = new TsnetHost(lab.host());
    await start();
    await host.host.loadImage();
  });
  afterAll(() => lab?.destroy());

  it('has its networks again before the engine starts, and its containers with it', async () => {
    const v6 = ['--ipv6', '--subnet', '2001:db8:5::/64'];
    const web = ['--ipam-driver', 'tsnet', '--subnet', '198.18.64.0/24', ...v6, 'web'];
    await host.docker('network', 'create', '-d', 'tsnet', ...web);
    const lan = [...LAN4, '--ip-range', '198.18.0.192/27', '-o', 'parent=eth0', 'lan'];
    await host.docker('network', 'create', '-d', 'tsnet', ...lan);
    const always = ['--restart', 'always'];
    const web1 = await startContainer(host, 'web1', 'web', ...always, '--ip', '198.18.64.9');
    const lan1 = await startContainer(host, 'lan1', 'lan', ...always, '--ip', '198.18.0.200');
    await startContainer(host, 'once', 'web');
    const shim = await theShim(host);
    const before = {
      cardMac: await macOf(host.host, 'eth0'),
      firewall: await ownElements(host),
      shimMac: await macOf(host.host, shim),
      old: (await store(host)).endpoints.map(endpoint => endpoint.id),
    };
    expect(before.old).toHaveLength(3);
    const bridge = Object.keys(await linkIndexes(host)).find(name => name.startsWith('tsb')) ?? '';
    const bridgeMac = await macOf(host.host, bridge);

    await host.host.crash();
    await host.host.boot();
    // a lab's card is a new one after each boot; a real one keeps its MAC, of which the shim's is made
    await host.host.exec('ip', ['link', 'set', 'eth0', 'address', before.cardMac]);
    expect(await host.links()).toEqual([]);
    await startRestored(host);

    // the engine does not run yet
    expect(Object.keys(await linkIndexes(host))).toEqual([bridge, shim].sort());
    expect(await ownElements(host)).toEqual(before.firewall);
    expect(await macOf(host.host, bridge)).toBe(bridgeMac);
    expect(await macOf(host.host, shim)).toBe(before.shimMac);
    const [row] = await ipJson(host.host, 'addr', 'show', 'dev', bridge);
    const local = ((row?.['addr_info'] ?? []) as { local: string }[]).map(address => address.local);
    expect(local).toEqual(expect.arrayContaining(['198.18.64.1', '2001:db8:5::1']));
    expect((await store(host)).endpoints).toEqual([]);
    expect(host.log()).toContain('is gone with its container and is forgotten');

    await host.host.startEngine();
    await reaches(lab.lan, '198.18.0.200');
    await reaches(host.host, '198.18.0.200');
    await reaches(host.host, '198.18.64.9');
    await reaches({ on: host, container: 'web1' }, '198.18.0.1');
    expect((await attached(host, 'web1', 'web')).mac).toBe(web1.mac);
    expect((await attached(host, 'lan1', 'lan')).mac).toBe(lan1.mac);

    const view = await store(host);
    const now = await engineView(host);
    expect(view.endpoints.map(endpoint => endpoint.id).sort()).toEqual(now.endpoints);
    expect(now.endpoints.filter(id => before.old.includes(id))).toEqual([]);
    expect(Object.keys(await linkIndexes(host))).toEqual(linksCalledFor(view));

    // the address that the container without a restart policy had is free again
    await waitFor(async () => (await store(host)).leases.length === 4, {
      what: 'two gateways and the two addresses of web1 to be all that is taken',
    });
    await host.docker('start', 'once');
    await reaches({ on: host, container: 'once' }, 'web1');
  });
});
