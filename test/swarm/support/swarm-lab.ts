import { waitFor } from '../../lab/wait.ts';
import type { PluginHost } from '../../plugin/support/plugin-host.ts';

/** Swarm knows a driver by the plugin's name and tag alone. */
export const DRIVER = 'tsnet-plugin:latest';

/** Makes the first host a manager and the others workers. The plugin has to be enabled on them already. */
export async function formSwarm([manager, ...workers]: readonly [
  PluginHost,
  ...PluginHost[],
]): Promise<void> {
  await manager.docker('swarm', 'init', '--advertise-addr', manager.host.address);
  const token = await manager.docker('swarm', 'join-token', '-q', 'worker');
  for (const worker of workers) {
    const join = ['swarm', 'join', '--token', token, '--advertise-addr', worker.host.address];
    await worker.docker(...join, `${manager.host.address}:2377`);
  }
}

/** Gives a link of a host another name; its addresses and the default route by the LAN's router stay. */
export async function rename({ host }: PluginHost, from: string, to: string): Promise<void> {
  await host.sh(`ip link set ${from} down && ip link set ${from} name ${to} && ip link set ${to} up`);
  await host.sh(
    `ip route replace default via 198.18.0.1 dev ${to} && ip addr replace ${host.address6}/64 dev ${to}`,
  );
  await waitFor(async () => (await host.sh(`cat /sys/class/net/${to}/operstate`)).stdout === 'up', {
    what: `${to} of ${host.name} to have a carrier`,
  });
}

/** A task of a service, as the node has it on which it runs. */
export interface Task {
  readonly on: PluginHost;
  /** Full id. */
  readonly container: string;
  readonly networkId: string;
  /** Bare; '' without the family. */
  readonly address: string;
  readonly address6: string;
}

/** The task of a service that runs on a node; undefined while there is none. */
export async function taskOn(node: PluginHost, service: string, network: string): Promise<Task | undefined> {
  const label = `label=com.docker.swarm.service.name=${service}`;
  const container = await node.docker('ps', '-q', '--no-trunc', '-f', label, '-f', 'status=running');
  if (!/^[0-9a-f]{64}$/.test(container)) return undefined;
  const attachment = (await node.attachment(container, network).catch(() => undefined)) ?? {};
  const { IPAddress: address, GlobalIPv6Address: address6, NetworkID: networkId } = attachment;
  if (typeof address !== 'string' || address === '' || typeof networkId !== 'string') return undefined;
  return { on: node, container, networkId, address, address6: String(address6) };
}

/** The same, waited for. @param but the id of a container that does not count: an engine may still list what it has lost */
export function aTaskOn(node: PluginHost, service: string, network: string, but = ''): Promise<Task> {
  return waitFor(
    async () => {
      const task = await taskOn(node, service, network);
      return task?.container === but ? undefined : task;
    },
    // A manager looks for what has become of a node every few seconds.
    { timeout: 60_000, what: `a task of ${service} on ${node.host.name}` },
  );
}

/** The IPv4 addresses that a name has in a container, sorted. */
export async function resolve({ on, container }: Task, name: string): Promise<string[]> {
  const { stdout } = await on.host.docker('exec', container, 'nslookup', name, '127.0.0.11');
  const found = String(stdout).matchAll(/^Address: +(\d+\.\d+\.\d+\.\d+)$/gm);
  return [...found].map(([, address]) => String(address)).sort();
}
