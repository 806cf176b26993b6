import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { talk } from '../engine/support/bridge-lab.ts';
import { answers, markedRoutes, reaches, shims } from '../engine/support/macvlan-lab.ts';
import { ENGINES, type EngineGeneration } from '../engine/support/tsnet-host.ts';
import type { Lab } from '../lab/lab.ts';
import { waitFor } from '../lab/wait.ts';
import { type PluginHost, pluginLab } from '../plugin/support/plugin-host.ts';
import { aTaskOn, DRIVER, formSwarm, rename, resolve, type Task } from './support/swarm-lab.ts';

/** On the nodes: each has its own name for the link to the LAN, and a part of the LAN's addresses to itself. */
const PARENTS = ['eth0', 'ens34'] as const;
const RANGES = ['198.18.0.64/27', '198.18.0.96/27'] as const;
/** Not the same: what one IPAM has given out the other does not know. */
const OTHER_RANGES = ['198.18.0.128/27', '198.18.0.160/27'] as const;
const RANGES6 = ['fd99::1:0/112', 'fd99::2:0/112'] as const;
const LAN4 = ['--subnet', '198.18.0.0/24', '--gateway', '198.18.0.1'] as const;
const LAN6 = ['--ipv6', '--subnet', 'fd99::/64', '--gateway', 'fd99::1'] as const;
const OF_RANGE = [/^198\.18\.0\.(6[4-9]|[78]\d|9[0-5])$/, /^198\.18\.0\.(9[6-9]|1[01]\d|12[0-7])$/] as const;

/** One of each generation, as a swarm has them while it is upgraded. */
const [OLDER, NEWER] = ENGINES as [EngineGeneration, EngineGeneration];

describe(`a swarm with a manager of engine ${OLDER} and a worker of ${NEWER}`, () => {
  let lab: Lab;
  let manager: PluginHost;
  let worker: PluginHost;
  /** A task of the service `web` on each node. */
  let tasks: [Task, Task];

  beforeAll(async () => {
    const made = await pluginLab({ hosts: [{ engine: OLDER }, { engine: NEWER }] });
    lab = made.lab;
    [manager, worker] = made.hosts as [PluginHost, PluginHost];
    await rename(worker, 'eth0', PARENTS[1]);
    await formSwarm([manager, worker]);
    await createOnEachNode('lan-here', index => [...LAN4, '--ip-range', RANGES[index]]);
    await createInSwarm('lan', 'lan-here');
    await createService('web', 'lan', '--publish', 'mode=host,published=8080,target=80');
    tasks = [await aTaskOn(manager, 'web', 'lan'), await aTaskOn(worker, 'web', 'lan')];
  });
  afterAll(() => lab?.destroy());

  /** What of a network is each node's own. */
  async function createOnEachNode(name: string, options: (index: 0 | 1) => string[]): Promise<void> {
    for (const index of [0, 1] as const) {
      const node = [manager, worker][index] as PluginHost;
      const own = ['-o', `parent=${PARENTS[index]}`, ...options(index)];
      await node.docker('network', 'create', '--config-only', ...own, name);
    }
  }

  const createInSwarm = (name: string, config: string): Promise<string> =>
    manager.docker('network', 'create', '-d', DRIVER, '--scope', 'swarm', '--config-from', config, name);

  /** A task on every node, which says on port 80 what node it is on. */
  async function createService(name: string, network: string, ...options: string[]): Promise<void> {
    const service = [
      'service',
      'create',
      '--detach',
      '--no-resolve-image',
      '--name',
      name,
      '--mode',
      'global',
    ];
    const task = ['--network', network, '--hostname', '{{.Node.Hostname}}', '--stop-signal', 'SIGKILL'];
    await manager.docker(
      ...service,
      ...task,
      ...options,
      'busybox',
      'nc',
      '-ll',
      '-p',
      '80',
      '-e',
      'hostname',
    );
  }

  /** Removes a service and its network, and waits until its nodes have let go of both. */
  async function removeService(name: string, network: string, its: readonly Task[]): Promise<void> {
    await manager.docker('service', 'rm', name);
    for (const { on, container } of its)
      await waitFor(async () => !(await on.docker('ps', '-aq', '--no-trunc')).includes(container), {
        timeout: 30_000,
        what: `the task of ${name} on ${on.host.name} to end`,
      });
    await manager.docker('network', 'rm', network);
    for (const { on } of its)
      await waitFor(async () => !(await on.docker('network', 'ls')).includes(` ${network} `), {
        what: `${network} to be gone from ${on.host.name}`,
      });
  }

  it('has a task on each node, with an address of that node', () => {
    for (const [index, task] of tasks.entries()) {
      expect(task.address).toMatch(OF_RANGE[index] ?? '');
      // Not the 64 hex digits of other networks.
      expect(task.networkId).toMatch(/^[0-9a-z]{25}$/);
    }
    expect(tasks[0].networkId).toBe(tasks[1].networkId);
  });

  it('lets tasks of both nodes reach each other, by address and by name', async () => {
    const addresses = tasks.map(task => task.address).sort();
    for (const task of tasks) {
      for (const address of addresses) expect(await answers(task, address)).toBe(true);
      for (const name of ['web', 'tasks.web'])
        await waitFor(async () => String(await resolve(task, name)) === String(addresses), {
          what: `${name} to be ${addresses} on ${task.on.host.name}`,
        });
    }
  });

  it('lets each host reach its own task through its shim and the other over the LAN', async () => {
    for (const task of tasks) {
      const host = task.on;
      expect(await shims(host)).toHaveLength(1);
      expect(await markedRoutes(host)).toEqual([task.address]);
      for (const { address } of tasks) expect(await answers(host.host, address)).toBe(true);
      expect(await answers(task, host.host.address)).toBe(true);
    }
    for (const { address } of tasks) expect(await answers(lab.lan, address)).toBe(true);
  });

  it('publishes a port in mode host on the address of each task', async () => {
    for (const { address, on } of tasks)
      for (const from of [lab.lan, manager.host, worker.host])
        expect(await talk(from, address, 8080), from.name).toBe(on.host.name);
  });

  it('gives out addresses of both families by its own IPAM', async () => {
    await createOnEachNode('both-here', index => [
      ...['--ipam-driver', DRIVER, ...LAN4, '--ip-range', OTHER_RANGES[index]],
      ...[...LAN6, '--ip-range', RANGES6[index]],
    ]);
    await createInSwarm('both', 'both-here');
    await createService('six', 'both');
    const six = [await aTaskOn(manager, 'six', 'both'), await aTaskOn(worker, 'six', 'both')] as const;
    for (const [index, other] of [six[1], six[0]].entries()) {
      expect(other.address6).toMatch(/^fd99::[12]:/);
      await reaches(six[index] as Task, other.address6);
      expect(await talk(six[index] as Task, other.address, 80)).toBe(other.on.host.name);
    }
    await removeService('six', 'both', six);
  });

  it('has its task back after the engine of a node was restarted', async () => {
    const [, lost] = tasks;
    await worker.host.stopEngine();
    await worker.host.startEngine();
    const back = await aTaskOn(worker, 'web', 'lan', lost.container);
    expect(back.address).toMatch(OF_RANGE[1]);
    expect(back.networkId).toBe(lost.networkId);
    await waitFor(() => answers(tasks[0], back.address), { what: 'the task that is back to be reached' });
    expect(await answers(worker.host, back.address)).toBe(true);
    expect(await markedRoutes(worker)).toEqual([back.address]);
    tasks = [tasks[0], back];
  });

  it('refuses the plain driver name, in words', async () => {
    const words = await manager.refused('network', 'create', '-d', 'tsnet', '--scope', 'swarm', 'plain');
    expect(words).toContain('legacy plugin tsnet of type NetworkDriver is not supported in swarm mode');
  });

  it('leaves nothing on any node when the service is gone, though an engine was dead then', async () => {
    await worker.host.stopEngine('KILL');
    await manager.docker('service', 'rm', 'web');
    await worker.host.startEngine();
    for (const node of [manager, worker])
      await waitFor(async () => String([...(await node.links()), ...(await markedRoutes(node))]) === '', {
        timeout: 30_000,
        what: `shim and routes to be gone from ${node.host.name}`,
      });
  });
});
