import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../lab/lab.ts';
import { waitFor } from '../lab/wait.ts';
import { engineView, linkIndexes, linksCalledFor, startRestored, store } from './support/host-view.ts';
import { LAN4, startContainer } from './support/macvlan-lab.ts';
import { soon } from './support/soon.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

describe('what the engine knows and its driver protocol does not say', () => {
  let lab: Lab;
  let hosts: TsnetHost[];

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: ENGINES.map(engine => ({ engine })) });
    lab = made.lab;
    hosts = made.hosts;
  });
  afterAll(() => lab?.destroy());

  it('is learned soon: the name of a network stands in the log and in errors', async () => {
    for (const host of hosts) {
      await host.docker('network', 'create', '-d', 'tsnet', '--subnet', '198.18.64.0/24', 'kept');
      await waitFor(async () => (await store(host)).networks[0]?.name === 'kept', {
        what: 'the name to be learned',
      });
      await startContainer(host, 'web1', 'kept');
      expect(host.log()).toMatch(/NetworkDriver\.Join .*network kept/);
      const overlap = ['--ipam-driver', 'tsnet', '--subnet', '198.18.64.0/25', 'other'];
      expect(await host.refused('network', 'create', '-d', 'tsnet', ...overlap)).toContain(
        'subnet 198.18.64.0/25 overlaps 198.18.64.0/24 of network kept',
      );
      await host.docker('rm', '-f', 'web1');
    }
  });

  it('that a network was removed while tsnet was down: its links and rows go after the next start', async () => {
    await Promise.all(
      hosts.map(async host => {
        await host.docker('network', 'create', '-d', 'tsnet', 'gone');
        const lan = [...LAN4, '--ip-range', '198.18.0.192/27', '-o', 'parent=eth0', 'lan'];
        await host.docker('network', 'create', '-d', 'tsnet', ...lan);
        await soon(async () => expect(Object.keys(await linkIndexes(host))).toHaveLength(3));
        await host.stop('KILL');
        // about 15 s: the engine tries five times, and then removes the network on its own
        await Promise.all([host.docker('network', 'rm', 'gone'), host.docker('network', 'rm', 'lan')]);
        expect((await store(host)).networks).toHaveLength(3);
        await startRestored(host, '--orphan-grace', '2');
        await waitFor(async () => (await store(host)).networks.length === 1, { what: 'two networks to go' });
        const view = await store(host);
        expect(view.networks.map(network => network.id)).toEqual((await engineView(host)).networks);
        await waitFor(async () => Object.keys(await linkIndexes(host)).length === 1, {
          what: 'their links to go',
        });
        expect(Object.keys(await linkIndexes(host))).toEqual(linksCalledFor(view));
        expect(host.log()).toMatch(/is unknown to the engine and is removed/);
        // what the engine has stays, and works
        await startContainer(host, 'web2', 'kept');
        expect(await host.pings('198.18.0.1', { container: 'web2' })).toBe(true);
      }),
    );
  });
});
