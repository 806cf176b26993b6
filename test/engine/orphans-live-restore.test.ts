import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../lab/lab.ts';
import { waitFor } from '../lab/wait.ts';
import { linkIndexes, startRestored, store } from './support/host-view.ts';
import { LAN4, reaches, startContainer } from './support/macvlan-lab.ts';
import { callPlugin } from './support/plugin-socket.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

const GRACE = ['--orphan-grace', '1'] as const;
const NetworkID = 'c'.repeat(64);

describe('containers that outlive their engine (live-restore)', () => {
  let lab: Lab;
  let hosts: TsnetHost[];

  beforeAll(async () => {
    const daemonJson = { 'live-restore': true };
    const made = await tsnetLab({ hosts: ENGINES.map(engine => ({ engine, daemonJson })) });
    lab = made.lab;
    hosts = made.hosts;
  });
  afterAll(() => lab?.destroy());

  it('are nothing that the engine has forgotten, though tsnet was killed with it and looks as soon as it answers', async () => {
    await Promise.all(
      hosts.map(async host => {
        const web = ['-d', 'tsnet', '--ipam-driver', 'tsnet', '--subnet', '198.18.64.0/24', 'web'];
        await host.docker('network', 'create', ...web);
        const lan = [...LAN4, '--ip-range', '198.18.0.192/27', '-o', 'parent=eth0', 'lan'];
        await host.docker('network', 'create', '-d', 'tsnet', ...lan);
        const web1 = await startContainer(host, 'web1', 'web');
        const lan1 = await startContainer(host, 'lan1', 'lan');
        await host.docker('network', 'connect', 'web', 'lan1');
        // By what becomes of this one it can be told how long the engine has been looked at.
        const IPv4Data = [{ AddressSpace: 'x', Pool: '198.18.70.0/24', Gateway: '198.18.70.1/24' }];
        const sentinel = { NetworkID, Options: {}, IPv4Data, IPv6Data: [] };
        expect((await callPlugin(host, 'NetworkDriver.CreateNetwork', sentinel)).status).toBe(200);
        const [before, links] = [await store(host), await linkIndexes(host)];

        await Promise.all([host.host.stopEngine('KILL'), host.stop('KILL')]);
        const logged = host.log().length;
        await startRestored(host, ...GRACE);
        await waitFor(() => host.log().slice(logged).split('cannot be compared').length > 2, {
          what: 'looks at an engine that is down',
        });
        expect((await store(host)).networks).toHaveLength(3);
        await host.host.startEngine();
        await waitFor(async () => (await store(host)).networks.length === 2, {
          timeout: 20_000,
          what: 'what the engine really does not know to be removed',
        });

        const after = await store(host);
        expect(after.endpoints.map(({ id }) => id).sort()).toEqual(
          before.endpoints.map(({ id }) => id).sort(),
        );
        expect([after.leases, after.pools]).toEqual([before.leases, before.pools]);
        const told = host
          .log()
          .slice(logged)
          .match(/WARN +(.*) is unknown to the engine/g);
        expect(told).toEqual([expect.stringContaining(`network ${NetworkID.slice(0, 12)}`)]);
        expect(links).toMatchObject(await linkIndexes(host));
        await reaches(host.host, web1.address4);
        await reaches(lab.lan, lan1.address4);
        await reaches({ on: host, container: 'lan1' }, web1.address4);
      }),
    );
  });
});
