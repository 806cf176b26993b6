import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../lab/lab.ts';
import { waitFor } from '../lab/wait.ts';
import { ownElements } from './support/bridge-lab.ts';
import {
  elementsCalledFor,
  engineView,
  linkIndexes,
  linksCalledFor,
  startRestored,
  store,
} from './support/host-view.ts';
import { LAN4, reaches, startContainer, wipe } from './support/macvlan-lab.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

const KILLS = 15;
/** Milliseconds: what the engine was the last to know of is collected after its calls, a look, and the grace. */
const COLLECTED = 30_000;

describe.each(ENGINES)('tsnet killed at random moments, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
    await host.docker('network', 'create', '-d', 'tsnet', 'web');
    const lan = [...LAN4, '--ip-range', '198.18.0.192/27', '-o', 'parent=eth0', 'lan'];
    await host.docker('network', 'create', '-d', 'tsnet', ...lan);
    for (const name of ['c1', 'c2', 'c3']) await startContainer(host, name, 'bridge');
  });
  afterAll(() => lab?.destroy());

  /** What every command answers does not matter here: many fail, for the engine repeats a call with an empty body. */
  const tries = (...args: string[]) => host.host.docker(...args);

  it('ends with exactly what its store says, which is what the engine says', async () => {
    let isOver = false;
    const repeat = async (round: () => Promise<unknown>) => {
      while (!isOver) await round();
    };
    const storm = [
      repeat(async () => {
        await tries('network', 'connect', 'web', 'c1');
        await tries('network', 'disconnect', 'web', 'c1');
      }),
      repeat(async () => {
        await tries('network', 'connect', 'lan', 'c2');
        await tries('network', 'disconnect', '-f', 'lan', 'c2');
      }),
      repeat(async () => {
        await tries('network', 'create', '-d', 'tsnet', 'passing');
        await tries('network', 'connect', 'passing', 'c3');
        await tries('network', 'disconnect', 'passing', 'c3');
        await tries('network', 'rm', 'passing');
      }),
      repeat(() => tries('run', '--rm', '--network', 'web', 'busybox', 'true')),
    ];
    for (let kill = 0; kill < KILLS; kill++) {
      // The moment is to be any: this waits for nothing.
      await delay(Math.random() * 300);
      await host.stop('KILL');
      await startRestored(host);
    }
    isOver = true;
    await Promise.all(storm);

    await host.stop('KILL');
    await startRestored(host, '--orphan-grace', '1');
    let found = '';
    const view = await waitFor(
      async () => {
        const says = await store(host);
        const [links, wanted] = [Object.keys(await linkIndexes(host)).join(), linksCalledFor(says).join()];
        found = `${links}, and not ${wanted}`;
        return links === wanted ? says : undefined;
      },
      { what: () => `the links to be those of the store: they are ${found}\n${host.log().slice(-6000)}` },
    );
    expect(await ownElements(host)).toEqual(elementsCalledFor(view));
    const known = await engineView(host);
    await waitFor(
      async () =>
        JSON.stringify((await store(host)).networks.map(n => n.id).sort()) === JSON.stringify(known.networks),
      { timeout: COLLECTED, what: 'the networks to be those of the engine' },
    );
    const joined = async () =>
      (await store(host)).endpoints.filter(endpoint => endpoint.joined).map(e => e.id);
    await waitFor(async () => JSON.stringify((await joined()).sort()) === JSON.stringify(known.endpoints), {
      timeout: COLLECTED,
      what: () => `the endpoints to be those of the engine, ${known.endpoints}:\n${host.log().slice(-6000)}`,
    });

    for (const [container, network] of [
      ['c1', 'web'],
      ['c2', 'lan'],
      ['c3', 'passing'],
    ] as const) {
      await tries('network', 'disconnect', '-f', network, container);
    }
    await tries('network', 'rm', 'passing');
    await startContainer(host, 'w1', 'web');
    await startContainer(host, 'w2', 'web');
    await reaches({ on: host, container: 'w1' }, 'w2');
    await host.docker('network', 'connect', 'lan', 'c2');
    await reaches(lab.lan, String((await host.attachment('c2', 'lan'))['IPAddress']));
    await wipe(host);
    const { networks, endpoints } = await store(host);
    expect({ networks, endpoints }).toEqual({ networks: [], endpoints: [] });
  });
});
