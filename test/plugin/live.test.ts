import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attached, LAN4, reaches, startContainer } from '../engine/support/macvlan-lab.ts';
import { unansweredDuring } from '../engine/support/ping-series.ts';
import { ENGINES, type EngineGeneration, TsnetHost } from '../engine/support/tsnet-host.ts';
import type { Host } from '../lab/host.ts';
import { Lab } from '../lab/lab.ts';
import type { LabNode } from '../lab/node.ts';
import { waitFor } from '../lab/wait.ts';
import { PluginHost } from './support/plugin-host.ts';

/**
 * Seconds that tsnet may delay the start of an engine with containers that are always restarted, plugin or daemon. On a calm machine a
 * plugin takes half a second, most of it the engine's own waiting; beside other tests all of it takes twice as long.
 */
const DELAY = 2;
/** Starts of an engine are compared at their best: a machine that does other things delays single ones by seconds. */
const ROUNDS = 6;
const [WEB, LAN, LAN_OF_DAEMON] = ['198.18.64.9', '198.18.0.200', '198.18.0.201'];
const ALWAYS = ['--restart', 'always'];

/** Stops and starts an engine. @returns seconds until it has answered, which is when it has started its containers */
async function restart(host: Host, ...args: string[]): Promise<number> {
  await host.stopEngine();
  const start = performance.now();
  await host.startEngine(args);
  return (performance.now() - start) / 1000;
}

/**
 * Starts the engines of several hosts, one after the other, and again until all but the last are no later than that by DELAY.
 * @returns seconds that each start took at its best
 */
async function compareStarts(hosts: readonly TsnetHost[]): Promise<number[]> {
  const best = hosts.map(() => Number.POSITIVE_INFINITY);
  const isLate = () => best.some(time => time - (best.at(-1) ?? 0) >= DELAY);
  for (let round = 1; round <= 2 || (round <= ROUNDS && isLate()); round++) {
    for (const [k, { host }] of hosts.entries()) best[k] = Math.min(best[k] ?? 0, await restart(host));
  }
  return best;
}

/** Two networks, and four containers that are always restarted. */
async function populate(host: TsnetHost, lan: string): Promise<void> {
  const create = ['network', 'create', '-d', 'tsnet'];
  await host.docker(...create, '--ipam-driver', 'tsnet', '--subnet', '198.18.64.0/24', 'web');
  await host.docker(...create, ...LAN4, '--ip-range', '198.18.0.192/27', '-o', 'parent=eth0', 'lan');
  const web1 = ['--name', 'web1', '--network', 'web', '--ip', WEB, '-p', '8080:80', ...ALWAYS];
  await host.docker('run', '-d', '--stop-timeout', '0', ...web1, 'busybox', 'httpd', '-f', '-p', '80');
  await startContainer(host, 'web2', 'web', ...ALWAYS, '--ip', '198.18.64.10');
  await startContainer(host, 'web3', 'web', ...ALWAYS, '--ip', '198.18.64.11');
  await startContainer(host, 'lan1', 'lan', ...ALWAYS, '--ip', lan);
}

/** All containers are where they were, and are reached. */
async function isWhole(host: TsnetHost, lan: LabNode, lan1 = LAN): Promise<void> {
  await reaches(host.host, WEB);
  await reaches(host.host, lan1);
  await reaches(lan, lan1);
  for (const name of ['web2', 'web3']) await reaches({ on: host, container: name }, WEB);
  await reaches({ on: host, container: 'lan1' }, '198.18.0.1');
  expect((await attached(host, 'web1', 'web')).address4).toBe(WEB);
  expect((await attached(host, 'lan1', 'lan')).address4).toBe(lan1);
  const answers = async () => {
    const ask = ['nc', '-w', '2', host.host.address, '8080'];
    const { stdout } = await lan.exec('busybox', ask, { reject: false, input: 'GET / HTTP/1.0\r\n\r\n' });
    return String(stdout).startsWith('HTTP/1');
  };
  await waitFor(answers, { what: 'the published port to answer on the LAN' });
}

describe.each(ENGINES)('a host with engine %s', (engine: EngineGeneration) => {
  let lab: Lab;
  let plugin: PluginHost;
  let daemon: TsnetHost;
  let plain: TsnetHost;

  beforeAll(async () => {
    lab = await Lab.create({ disk: 'dir', hosts: [{ engine }, { engine }, { engine }] });
    plugin = new PluginHost(lab.host(0));
    [daemon, plain] = [new TsnetHost(lab.host(1)), new TsnetHost(lab.host(2))];
    await Promise.all([plugin.create(), ...lab.hosts.map(host => host.loadImage())]);
    await Promise.all([plugin.start(), daemon.start()]);
    await Promise.all([populate(plugin, LAN), populate(daemon, LAN_OF_DAEMON)]);
  });
  afterAll(() => lab?.destroy());

  it('starts its engine no later than one without tsnet does, with all containers', {
    timeout: 300_000,
  }, async () => {
    // the same on one of Docker's own networks
    await plain.docker('network', 'create', '--subnet', '198.18.64.0/24', 'web');
    for (const [k, name] of ['web1', 'web2', 'web3', 'lan1'].entries()) {
      await startContainer(plain, name, 'web', ...ALWAYS, '--ip', `198.18.64.${9 + k}`);
    }
    const [withPlugin = 0, withDaemon = 0, without = 0] = await compareStarts([plugin, daemon, plain]);
    expect(withPlugin - without).toBeLessThan(DELAY);
    expect(withDaemon - without).toBeLessThan(DELAY);
    await isWhole(plugin, lab.lan);
    await isWhole(daemon, lab.lan, LAN_OF_DAEMON);
  });

  it('goes on while the plugin is disabled and enabled again, as for an upgrade', async () => {
    const unanswered = await unansweredDuring(
      {
        'container to container': [{ on: plugin, container: 'web2' }, WEB],
        'LAN to macvlan container': [lab.lan, LAN],
        'host to macvlan container': [plugin.host, LAN],
      },
      async more => {
        await plugin.stop();
        await more(3);
        await plugin.start();
        await more(3);
      },
    );
    expect(unanswered).toEqual({
      'container to container': [],
      'LAN to macvlan container': [],
      'host to macvlan container': [],
    });
    const { address4 } = await startContainer(plugin, 'new', 'web');
    await reaches({ on: plugin, container: 'web1' }, address4);
    await plugin.docker('rm', '-f', 'new');
    await isWhole(plugin, lab.lan);
  });

  it('goes on while the engine restarts with live-restore, whether it was ended or killed', async () => {
    // containers that live on are those that were started so
    await restart(plugin.host, '--live-restore');
    await isWhole(plugin, lab.lan);
    const pid = await plugin.pluginPid();
    for (const how of ['TERM', 'KILL'] as const) {
      const unanswered = await unansweredDuring(
        {
          'container to container': [{ on: plugin, container: 'web2' }, WEB],
          'LAN to macvlan container': [lab.lan, LAN],
        },
        async more => {
          await plugin.host.stopEngine(how);
          await more(3);
          await plugin.host.startEngine(['--live-restore']);
          await more(3);
        },
      );
      expect(unanswered['LAN to macvlan container']).toEqual([]);
      // see test/engine/restart-engine.test.ts: the engine takes its jump to DOCKER-USER out and puts it in again
      expect(unanswered['container to container']?.length).toBeLessThanOrEqual(engine === '20.10' ? 0 : 10);
      expect(await plugin.pluginPid()).toBe(pid);
    }
    await isWhole(plugin, lab.lan);
    await plugin.docker('stop', '-t', '0', 'web2');
    await plugin.docker('start', 'web2');
    await isWhole(plugin, lab.lan);
  });

  it('has everything back after a power failure', async () => {
    await plugin.host.crash();
    await plugin.host.boot();
    // a lab's card is a new one after each boot
    await lab.lan.exec('ip', ['neigh', 'flush', 'all']);
    await isWhole(plugin, lab.lan);
    expect(await plugin.tsnet('status')).toMatch(/networks +2\nendpoints +4/);
  });
});
