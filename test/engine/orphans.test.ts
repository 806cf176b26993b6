import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DaemonStatus } from '../../src/protocol/admin-router.ts';
import type { Lab } from '../lab/lab.ts';
import { waitFor } from '../lab/wait.ts';
import { unheard } from './support/deaf-driver.ts';
import { engineView, linkIndexes, linksCalledFor, store } from './support/host-view.ts';
import {
  answers,
  attached,
  inContainer,
  LAN4,
  markedRoutes,
  reaches,
  startContainer,
} from './support/macvlan-lab.ts';
import { callPlugin } from './support/plugin-socket.ts';
import { soon } from './support/soon.ts';
import { ENGINES, TSNET, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

/** Seconds, few, so that nobody waits long. */
const GRACE = ['--orphan-grace', '2'] as const;
const OWN_IPAM = ['-d', 'tsnet', '--ipam-driver', 'tsnet'] as const;

const status = async (host: TsnetHost): Promise<DaemonStatus> =>
  JSON.parse(String((await host.host.exec(TSNET, ['status', '--json'])).stdout));

/** A log but for what each of many attempts in vain has left there. */
const withoutAttempts = (log: string): string =>
  log
    .split('\n')
    .filter(line => !/SUBNET_OVERLAP|GwAllocCheck/.test(line))
    .join('\n');

/** tsnet has nothing more, and nothing less, than what the engine has. */
async function agrees(host: TsnetHost): Promise<void> {
  const [view, engine] = [await store(host), await engineView(host)];
  expect(view.networks.map(({ id }) => id).sort()).toEqual(engine.networks);
  expect(view.endpoints.map(({ id }) => id).sort()).toEqual(engine.endpoints);
  await soon(async () => expect(Object.keys(await linkIndexes(host))).toEqual(linksCalledFor(view)));
}

describe('what the engine has forgotten', () => {
  let lab: Lab;
  let hosts: TsnetHost[];

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: ENGINES.map(engine => ({ engine })) });
    lab = made.lab;
    hosts = made.hosts;
    await everywhere(async host => {
      await host.stop();
      await host.start(...GRACE);
      await host.docker('network', 'create', ...OWN_IPAM, '--subnet', '198.18.64.0/24', 'web');
      const lan = [...LAN4, '--ip-range', '198.18.0.192/27', '-o', 'parent=eth0'];
      await host.docker('network', 'create', '-d', 'tsnet', ...lan, 'lan');
    });
  });
  afterAll(() => lab?.destroy());

  const everywhere = (action: (host: TsnetHost) => Promise<unknown>) => Promise.all(hosts.map(action));

  it('is reported, then removed: networks, endpoints, pools and addresses; what it has stays and works', async () => {
    await everywhere(async host => {
      await host.docker('network', 'create', ...OWN_IPAM, '--ipv6', '--subnet', 'fd88::/64', 'gone');
      const kept = await startContainer(host, 'kept', 'web');
      await startContainer(host, 'lost', 'web');
      await startContainer(host, 'far', 'lan');
      const before = await store(host);
      await unheard(host, async () => {
        await host.docker('rm', '-f', 'lost', 'far');
        await host.docker('network', 'rm', 'gone');
      });
      // Nothing is removed, for as long as it takes to see what is reported.
      await host.start('--orphan-grace', 'never');
      const { orphans } = await waitFor(
        async () => {
          const now = await status(host);
          return now.orphans.length > 0 && now;
        },
        { what: 'orphans to be reported' },
      );
      const names = orphans.map(({ name }) => name.replace(/\d+\.\d+\.\d+\.\d+/, 'IP'));
      for (const name of ['network gone', 'endpoint IP/24 on network web', 'pool tsnet-local/fd88::/64'])
        expect(names).toContain(name);
      expect(orphans.every(({ removedIn, kept }) => removedIn === undefined && kept === undefined)).toBe(
        true,
      );
      expect((await store(host)).networks).toHaveLength(before.networks.length);
      await host.stop();
      await host.start(...GRACE);
      const after = await waitFor(
        async () => {
          const view = await store(host);
          return view.networks.length === 2 && view.leases.length === 2 && view.pools.length === 1 && view;
        },
        { timeout: 20_000, what: 'what is left to be removed' },
      );
      expect(host.log()).toMatch(/WARN +network gone is unknown to the engine and is removed in 2 s unless/);
      expect(after.leases).toEqual(expect.arrayContaining(['198.18.64.1', kept.address4]));
      await agrees(host);
      expect(await markedRoutes(host)).toEqual([]);
      const { orphans: rest, collected } = await status(host);
      expect([rest, collected > 5]).toEqual([[], true]);
      await reaches(host.host, kept.address4);
      const next = await startContainer(host, 'next', 'web');
      await reaches({ on: host, container: 'kept' }, next.address4);
      await host.docker('rm', '-f', 'next');
    });
  });

  it('is taken out of a container that lives on', async () => {
    await everywhere(async host => {
      await host.docker('network', 'connect', 'lan', 'kept');
      const { address4 } = await attached(host, 'kept', 'lan');
      await reaches(lab.lan, address4);
      // Of an interface that the engine has moved in it would take care itself: this one is tsnet's.
      expect(await inContainer(host, 'kept', 'ip', '-4', '-o', 'addr')).toContain(address4);
      await unheard(host, () => host.docker('network', 'disconnect', 'lan', 'kept'));
      expect(await inContainer(host, 'kept', 'ip', '-4', '-o', 'addr')).toContain(address4);
      await host.start(...GRACE);
      await waitFor(
        async () => !(await inContainer(host, 'kept', 'ip', '-4', '-o', 'addr')).includes(address4),
        {
          what: 'the interface to be gone from the container',
        },
      );
      await soon(async () => expect(await answers(lab.lan, address4)).toBe(false));
      await soon(() => agrees(host));
      expect(await answers(host.host, (await attached(host, 'kept', 'web')).address4)).toBe(true);
    });
  });

  it('goes within seconds where a call was cut off, so that it can be made again', async () => {
    await everywhere(async host => {
      const NetworkID = 'c'.repeat(64);
      const IPv4Data = [{ AddressSpace: 'x', Pool: '198.18.70.0/24', Gateway: '198.18.70.1/24' }];
      const request = { NetworkID, Options: {}, IPv4Data, IPv6Data: [] };
      expect((await callPlugin(host, 'NetworkDriver.CreateNetwork', request)).status).toBe(200);
      const again = ['network', 'create', '-d', 'tsnet', '--subnet', '198.18.70.0/24', 'again'];
      expect(await host.refused(...again)).toContain('overlaps');
      await host.stop('KILL');
      await host.start('--orphan-grace', '3600');
      await waitFor(async () => (await host.host.docker(...again)).exitCode === 0, {
        timeout: 20_000,
        what: () => `the network to be made again:\n${withoutAttempts(host.log()).slice(-3000)}`,
      });
      await host.docker('network', 'rm', 'again');
      await agrees(host);
    });
  });

  it('is nothing at all while it is down, and what died with its containers when it comes back', async () => {
    await everywhere(async host => {
      const far = await startContainer(host, 'far', 'lan', '--restart', 'no');
      await reaches(lab.lan, far.address4);
      await host.host.stopEngine('KILL');
      await host.stop('KILL');
      await host.start('--orphan-grace', '1');
      const before = await store(host);
      const looked = () => host.log().split('cannot be compared').length;
      const looks = looked();
      await waitFor(() => looked() >= looks + 3, { what: 'three looks in vain' });
      expect(await store(host)).toEqual(before);
      expect(await answers(lab.lan, far.address4)).toBe(true);

      // The network of `lan` is not tsnet's IPAM's, so the engine that comes back may have nothing to say of its endpoint: the kernel tells.
      await host.host.startEngine();
      await soon(async () => expect((await store(host)).endpoints).toEqual([]));
      await soon(() => agrees(host));
      expect(await markedRoutes(host)).toEqual([]);
      const log = host.log();
      expect(log.slice(log.lastIndexOf('cannot be compared'))).not.toMatch(/network \w+ is unknown/);
      await host.docker('start', 'kept', 'far');
      await reaches(lab.lan, (await attached(host, 'far', 'lan')).address4);
      await agrees(host);
    });
  });
});
