import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../lab/lab.ts';
import { waitFor } from '../lab/wait.ts';
import { bridgeOf, linkIndexes, linksOf } from './support/host-view.ts';
import { macOf, reaches, startContainer, timeUntil, wipe } from './support/macvlan-lab.ts';
import { soon } from './support/soon.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

describe.each(ENGINES)('links removed by hand under running containers, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;
  let bridge: string;

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
  });
  afterEach(() => wipe(host));
  afterAll(() => lab?.destroy());

  const start = async (...options: string[]) => {
    await host.docker('network', 'create', '-d', 'tsnet', '--subnet', '198.18.64.0/24', ...options, 'web');
    await startContainer(host, 'web1', 'web');
    await startContainer(host, 'web2', 'web');
    bridge = await bridgeOf(host, 'web');
  };

  it('a bridge comes back with its address, MAC and ports within a second', async () => {
    await start();
    const before = await linkIndexes(host);
    const mac = await macOf(host.host, bridge);
    const { port } = await linksOf(host, 'web2', 'web');
    const mended = `{ ip addr show dev ${bridge} | grep -q 198.18.64.1/24 && ip link show dev ${port} | grep -q ${bridge}; }`;
    expect(await timeUntil(host, `ip link delete ${bridge}`, mended)).toBeLessThan(1000);
    await reaches({ on: host, container: 'web1' }, 'web2');
    await reaches({ on: host, container: 'web1' }, '198.18.0.1');
    expect(await macOf(host.host, bridge)).toBe(mac);
    const { [bridge]: renewed, ...ports } = await linkIndexes(host);
    expect(before).toMatchObject(ports);
    expect(Object.keys(ports)).toHaveLength(2);
    expect(renewed).not.toBe(before[bridge]);
  });

  it('the ports of a bridge without icc are kept apart again', async () => {
    await start('-o', 'com.docker.network.bridge.enable_icc=false');
    const address = String((await host.attachment('web2', 'web'))['IPAddress']);
    const { port } = await linksOf(host, 'web2', 'web');
    const mended = `ip -d link show dev ${port} | grep -q 'isolated on'`;
    expect(await timeUntil(host, `ip link delete ${bridge}`, mended)).toBeLessThan(1000);
    await reaches({ on: host, container: 'web1' }, '198.18.0.1');
    expect(await host.pings(address, { container: 'web1' })).toBe(false);
  });

  it('an address, and a bridge that was set down, are put right within a second', async () => {
    await start();
    const address = `ip addr show dev ${bridge} | grep -q 198.18.64.1/24`;
    expect(await timeUntil(host, `ip addr delete 198.18.64.1/24 dev ${bridge}`, address)).toBeLessThan(1000);
    const up = `ip link show dev ${bridge} up | grep -q ${bridge}`;
    expect(await timeUntil(host, `ip link set ${bridge} down`, up)).toBeLessThan(1000);
    await reaches({ on: host, container: 'web1' }, '198.18.64.1');
  });

  it('a port is lost with its container: that is logged, and a restart of the container brings it back', async () => {
    await start();
    const { port } = await linksOf(host, 'web2', 'web');
    const logged = host.log().length;
    await host.host.exec('ip', ['link', 'delete', port]);
    await waitFor(() => /INFO .*endpoint .*forgotten/.test(host.log().slice(logged)), {
      what: 'the loss to be logged',
    });
    expect(await host.pings('web2', { container: 'web1' })).toBe(false);
    await host.docker('restart', '-t', '0', 'web2');
    await reaches({ on: host, container: 'web1' }, 'web2');
    await soon(async () => expect(Object.keys(await linkIndexes(host))).toHaveLength(3));
  });
});
