import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startContainer } from '../engine/support/macvlan-lab.ts';
import { soon } from '../engine/support/soon.ts';
import { engines, type Generation } from '../lab/engines.ts';
import type { Lab } from '../lab/lab.ts';
import { waitFor } from '../lab/wait.ts';
import { type PluginHost, pluginLab } from './support/plugin-host.ts';

/** Every engine there is, for each has its own plugin manager. */
const ALL = (await engines()).map(engine => engine.generation as Generation);

let lab: Lab;
let hosts: PluginHost[];
beforeAll(async () => {
  ({ lab, hosts } = await pluginLab({ hosts: ALL.map(engine => ({ engine })) }));
});
afterAll(async () => lab?.destroy());

/** A path of a host's file system, as this process reaches it. */
const onHost = (host: PluginHost, path: string): string => `/proc/${host.host.pid}/root${path}`;

/** Milliseconds from the start of the plugin's process until it listened. */
async function listeningAfter(host: PluginHost): Promise<number> {
  const pid = await host.pluginPid();
  const stat = readFileSync(onHost(host, `/proc/${pid}/stat`), 'utf8');
  // Field 22 of proc_pid_stat(5), in hundredths of a second since the machine was switched on.
  const started = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]) * 10;
  const uptime = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000;
  const line = host
    .log()
    .split('\n')
    .findLast(text => text.includes('listening where='));
  const [, at = ''] = / msg="(\S+) /.exec(line ?? '') ?? [];
  return Date.parse(at) - (Date.now() - uptime + started);
}

async function timed(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}

describe.each(ALL.map((generation, at) => ({ generation, at })))('on engine $generation', ({ at }) => {
  const host = (): PluginHost => hosts[at] as PluginHost;

  it('is enabled within a second, and listens within 300 ms of its start', async () => {
    const enabled: number[] = [];
    const listening: number[] = [];
    // What else the machine does is no matter of the plugin's: it has to manage once, with its share of the cores.
    const share = () => Math.max(1, (loadavg()[0] ?? 0) / availableParallelism());
    const managed = () => Math.min(...enabled) < 1000 * share() && Math.min(...listening) < 300 * share();
    while (enabled.length < 8 && !managed()) {
      // With a handler for SIGTERM; without one the engine kills it after ten seconds.
      expect(await timed(() => host().stop())).toBeLessThan(8000);
      enabled.push(await timed(() => host().docker('plugin', 'enable', host().plugin)));
      listening.push(await listeningAfter(host()));
    }
    expect(managed(), `enabled after ${enabled} ms, listening after ${listening} ms`).toBe(true);
    expect(Math.min(...listening)).toBeGreaterThan(0);
  });

  it('may have as many files open as its engine may: each published port takes some', async () => {
    const limits = (file: string) =>
      /^Max open files +(\d+) +(\d+)/m.exec(readFileSync(file, 'utf8'))?.slice(1).map(Number);
    // The engine's, which every process of this test inherits; node raises the one that holds as far as it may.
    const [, most] = limits('/proc/self/limits') ?? [];
    expect(most).toBeGreaterThan(0);
    expect(limits(onHost(host(), `/proc/${await host().pluginPid()}/limits`))).toEqual([most, most]);
  });

  it('is kept by networks on its full name from being disabled, and not by those on the plain one', async () => {
    const full = `${host().plugin}:latest`;
    await host().docker('network', 'create', '-d', full, '--subnet', '198.19.3.0/24', 'counted');
    expect(await host().refused('plugin', 'disable', host().plugin)).toContain('in use');
    await host().docker('network', 'rm', 'counted');
    await host().docker('network', 'create', '-d', 'tsnet', '--subnet', '198.19.4.0/24', 'uncounted');
    await host().docker('plugin', 'disable', host().plugin);
    await host().docker('plugin', 'enable', host().plugin);
    await host().docker('network', 'rm', 'uncounted');
  });

  it('takes settings while disabled only, and keeps them', async () => {
    expect(await host().refused('plugin', 'set', host().plugin, 'TSNET_LOG_LEVEL=warn')).toContain('active');
    await host().stop();
    expect(await host().refused('plugin', 'set', host().plugin, 'run-docker.source=/')).toContain('settable');
    await host().start('TSNET_LOG_FORMAT=json', 'engine.source=/run/docker.sock');
    expect(host().log()).toMatch(/\{.*level.*info.*listening/);

    await host().docker('network', 'create', '-d', 'tsnet', '--subnet', '198.19.7.0/24', 'named');
    await startContainer(host(), 'web', 'named', '-p', '80');
    const ports = JSON.parse(await host().tsnet('ports', '--json')) as {
      container: string;
      network: string;
    }[];
    expect(ports.map(({ container, network }) => `${container} on ${network}`)).toContain('web on named');
    await host().docker('rm', '-f', 'web');
    await host().docker('network', 'rm', 'named');
    await host().stop();
    await host().start('TSNET_LOG_FORMAT=text', 'engine.source=/dev/null');
  });

  it('leaves containers their network while it is disabled, and knows them when it is enabled again', async () => {
    await host().docker('network', 'create', '-d', 'tsnet', '--subnet', '198.19.1.0/24', 'kept');
    await startContainer(host(), 'old', 'kept', '--ip', '198.19.1.9');
    await host().stop();
    expect(await host().pings('198.19.1.9')).toBe(true);
    await host().start();
    await host().docker('run', '-d', '--name', 'new', '--network', 'kept', 'busybox', 'sleep', '1d');
    expect(await host().pings('198.19.1.9', { container: 'new' })).toBe(true);
    expect(await timed(() => host().docker('rm', '-f', 'old', 'new'))).toBeLessThan(10_000);
    await waitFor(async () => (await host().links()).length === 1, { what: 'the ports of both to go' });
  });

  it('is started again by the engine when it is killed, and nobody notices', async () => {
    await startContainer(host(), 'before', 'kept', '--ip', '198.19.1.9');
    const id = await host().pluginId();
    const pid = await host().pluginPid();
    await host().stop('KILL');
    // A call that finds nobody is made again by the engine a second later.
    await host().docker('run', '-d', '--name', 'after', '--network', 'kept', 'busybox', 'sleep', '1d');
    expect(await host().pings('198.19.1.9', { container: 'after' })).toBe(true);
    expect(await host().pluginId()).toBe(id);
    expect(await host().pluginPid()).not.toBe(pid);
    await host().docker('rm', '-f', 'before', 'after');
  });

  it('is removed without a trace', async () => {
    const id = await host().pluginId();
    const state = onHost(host(), `/var/lib/docker/plugins/${id}/propagated-mount/tsnet.db`);
    expect(existsSync(state)).toBe(true);
    await host().docker('network', 'rm', 'kept');
    expect(await host().refused('plugin', 'rm', host().plugin)).toContain('enabled');
    await host().docker('plugin', 'rm', '-f', host().plugin);
    expect(existsSync(state)).toBe(false);
    expect(existsSync(onHost(host(), '/run/docker/plugins/tsnet.sock'))).toBe(false);
    await soon(async () => expect(await host().links()).toEqual([]));
    expect((await host().host.exec('ls', ['/run/docker/plugins'])).stdout).toBe('');
  });
});
