import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../lab/lab.ts';
import {
  BR_NETFILTER,
  clean,
  createNetwork,
  driverOptions,
  seenAs,
  serveName,
  setBrNetfilter,
  startPeerServer,
  talk,
} from './support/bridge-lab.ts';
import { answers, inContainer, startContainer } from './support/macvlan-lab.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

const LAN = '198.18.0.1';

describe.each(ENGINES)('who is kept apart on bridges, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
    await startPeerServer(lab.lan);
  });
  afterEach(() => clean(host));
  afterAll(() => lab?.destroy());

  const inside = (container: string) => ({ on: host, container });

  // Frames between two ports meet the firewall only where br_netfilter is switched on.
  describe.each(BR_NETFILTER)('with bridge-nf-call-iptables=%s', brNetfilter => {
    beforeAll(() => setBrNetfilter(host, brNetfilter));

    it('lets containers of one network reach each other', async () => {
      await createNetwork(host, 'web', '--subnet', '198.18.9.0/24');
      await startContainer(host, 'c1', 'web');
      const c2 = await startContainer(host, 'c2', 'web');
      await serveName(host, 'c2');
      expect(await answers(inside('c1'), c2.address4)).toBe(true);
      expect(await talk(inside('c1'), 'c2', 80)).toBe('c2');
    });

    it('parts them where enable_icc is false, by every way, and leaves them host and LAN', async () => {
      const apart = driverOptions({ 'com.docker.network.bridge.enable_icc': 'false' });
      await createNetwork(host, 'apart', '--subnet', '198.18.9.0/24', ...apart);
      const c1 = await startContainer(host, 'c1', 'apart');
      const c2 = await startContainer(host, 'c2', 'apart');
      await serveName(host, 'c2');
      const attempts = async () => [
        await answers(inside('c1'), c2.address4),
        await talk(inside('c1'), c2.address4, 80),
      ];
      expect(await attempts()).toEqual([false, undefined]);
      // nor by way of the gateway, which would route it back
      await inContainer(host, 'c1', 'ip', 'route', 'add', c2.address4, 'via', '198.18.9.1');
      await inContainer(host, 'c2', 'ip', 'route', 'add', c1.address4, 'via', '198.18.9.1');
      expect(await attempts()).toEqual([false, undefined]);

      expect(await answers(inside('c1'), '198.18.9.1')).toBe(true);
      expect(await talk(host.host, c2.address4, 80)).toBe('c2');
      expect(await seenAs(inside('c1'), LAN)).toBe(host.host.address);
    });
  });

  it('parts two networks from each other', async () => {
    await createNetwork(host, 'red', '--subnet', '198.18.8.0/24');
    await createNetwork(host, 'blue', '--subnet', '198.18.9.0/24', '--internal');
    await createNetwork(host, 'green', '--subnet', '198.18.10.0/24');
    for (const network of ['red', 'blue', 'green']) {
      await startContainer(host, network, network);
      await serveName(host, network);
    }
    const pairs = [
      ['red', '198.18.9.2'],
      ['red', '198.18.10.2'],
      ['green', '198.18.8.2'],
      ['green', '198.18.9.2'],
      ['blue', '198.18.8.2'],
    ] as const;
    await inContainer(host, 'blue', 'ip', 'route', 'add', 'default', 'via', '198.18.9.1');
    for (const [from, address] of pairs) {
      expect(await answers(inside(from), address), `${from} to ${address}`).toBe(false);
      expect(await talk(inside(from), address, 80), `${from} to ${address}`).toBeUndefined();
    }
    // it is not that they do not answer: the host reaches all of them
    for (const address of ['198.18.8.2', '198.18.9.2', '198.18.10.2']) {
      expect(await answers(host.host, address)).toBe(true);
    }
  });

  it("parts its networks from the engine's own, as those are from each other", async () => {
    await createNetwork(host, 'web', '--subnet', '198.18.9.0/24');
    await host.docker('network', 'create', '--subnet', '198.18.10.0/24', 'own');
    const ours = await startContainer(host, 'ours', 'web');
    const theirs = await startContainer(host, 'theirs', 'own');
    const onDefault = await startContainer(host, 'default', 'bridge');
    for (const container of ['ours', 'theirs', 'default']) await serveName(host, container);

    for (const { name, address4 } of [theirs, onDefault]) {
      expect(await answers(inside('ours'), address4), `ours to ${name}`).toBe(false);
      expect(await talk(inside('ours'), address4, 80), `ours to ${name}`).toBeUndefined();
      expect(await answers(inside(name), ours.address4), `${name} to ours`).toBe(false);
      expect(await talk(inside(name), ours.address4, 80), `${name} to ours`).toBeUndefined();
      expect(await answers(host.host, address4)).toBe(true);
    }
    // and neither has lost the way out
    for (const name of ['ours', 'theirs', 'default']) {
      expect(await seenAs(inside(name), LAN), name).toBe(host.host.address);
    }
  });

  it("lets its containers use what the engine's own networks publish on the host", async () => {
    await createNetwork(host, 'web', '--subnet', '198.18.9.0/24');
    await startContainer(host, 'ours', 'web');
    await startContainer(host, 'shop', 'bridge', '-p', '8080:80');
    await serveName(host, 'shop');
    expect(await talk(lab.lan, host.host.address, 8080)).toBe('shop');
    expect(await talk(inside('ours'), host.host.address, 8080)).toBe('shop');
  });

  it('lets one container on two networks speak to both, and passes nothing between them', async () => {
    await createNetwork(host, 'red', '--subnet', '198.18.8.0/24');
    await createNetwork(host, 'blue', '--subnet', '198.18.9.0/24');
    const red = await startContainer(host, 'red1', 'red');
    const blue = await startContainer(host, 'blue1', 'blue');
    await startContainer(host, 'both', 'red');
    await host.docker('network', 'connect', 'blue', 'both');
    expect(await answers(inside('both'), 'red1')).toBe(true);
    expect(await answers(inside('both'), 'blue1')).toBe(true);
    expect(await answers(inside('red1'), blue.address4)).toBe(false);
    expect(await answers(inside('blue1'), red.address4)).toBe(false);
  });
});
