import { expect } from 'vitest';
import type { LabNode } from '../../lab/node.ts';
import { waitFor } from '../../lab/wait.ts';
import { soon } from './soon.ts';
import { ENGINES, type EngineGeneration, type TsnetHost } from './tsnet-host.ts';

/** What of the README's command is the same on every host of the lab's LAN. */
export const LAN4 = ['--subnet', '198.18.0.0/24', '--gateway', '198.18.0.1'] as const;
export const LAN6 = ['--ipv6', '--subnet', 'fd99::/64', '--gateway', 'fd99::1'] as const;

/** The other generation: of a lab's two hosts the first runs the one under test and the second this one. */
export const otherEngine = (engine: EngineGeneration): EngineGeneration =>
  ENGINES.find(other => other !== engine) ?? engine;

/** A container as its network has attached it; addresses bare, '' where it has none of the family. */
export interface Attached {
  readonly name: string;
  readonly address4: string;
  readonly address6: string;
  readonly mac: string;
}

/** Starts a container that idles on one network. @param options of `docker run` */
export async function startContainer(
  host: TsnetHost,
  name: string,
  network: string,
  ...options: string[]
): Promise<Attached> {
  const run = ['run', '-d', '--stop-timeout', '0', '--name', name, '--network', network];
  await host.docker(...run, ...options, 'busybox', 'sleep', '1d');
  return attached(host, name, network);
}

export async function attached(host: TsnetHost, name: string, network: string): Promise<Attached> {
  const found = await host.attachment(name, network);
  return {
    name,
    address4: String(found['IPAddress']),
    address6: String(found['GlobalIPv6Address']),
    mac: String(found['MacAddress']),
  };
}

/** Who pings: a node of the lab, or a container on a host. */
export type Pinger = LabNode | { readonly on: TsnetHost; readonly container: string };

/** Whether one ping is answered within a second. */
export async function answers(from: Pinger, address: string): Promise<boolean> {
  const ping = ['ping', '-c', '1', '-W', '1', address];
  const result =
    'on' in from
      ? await from.on.host.docker('exec', from.container, ...ping)
      : await from.exec('busybox', ping, { reject: false });
  return result.exitCode === 0;
}

/** Waits until a ping is answered: a new IPv6 address is used only after its duplicate detection, about 2 s. */
export async function reaches(from: Pinger, address: string): Promise<void> {
  const who = 'on' in from ? from.container : from.name;
  await waitFor(() => answers(from, address), { timeout: 6000, what: `${who} to reach ${address}` });
}

/** Runs a program of the host, as its root, in the network namespace of a running container. */
export async function inContainer(host: TsnetHost, name: string, ...command: string[]): Promise<string> {
  const pid = await host.docker('inspect', '-f', '{{.State.Pid}}', name);
  return String((await host.host.exec('nsenter', ['-t', pid, '-n', ...command])).stdout);
}

/** What `ip -j` prints. */
export async function ipJson(node: LabNode, ...args: string[]): Promise<Record<string, unknown>[]> {
  const { stdout } = await node.exec('ip', ['-j', ...args]);
  const rows: unknown = stdout === '' ? [] : JSON.parse(String(stdout));
  // `ip -j link show` of one kind prints an empty object for each link of another.
  return (rows as Record<string, unknown>[]).filter(row => Object.keys(row).length > 0);
}

/** @throws Error when there is no such link */
export async function macOf(node: LabNode, link: string): Promise<string> {
  const [row] = await ipJson(node, 'link', 'show', 'dev', link);
  return String(row?.['address']);
}

/** The MAC that a node holds for an address at present. @throws Error with what it holds, where there is no MAC in it */
export async function neighbourOf(node: LabNode, address: string): Promise<string> {
  const rows = await ipJson(node, 'neigh', 'show', address);
  const mac = rows.map(row => row['lladdr'] as string | undefined).find(lladdr => lladdr !== undefined);
  if (mac === undefined) throw new Error(`${node.name} has no MAC for ${address}: ${JSON.stringify(rows)}`);
  return mac;
}

/** Names of the shims on a host. */
export const shims = async (host: TsnetHost): Promise<string[]> =>
  (await host.links()).filter(link => link.startsWith('tss'));

/** The one shim of a host. */
export async function theShim(host: TsnetHost): Promise<string> {
  const found = await shims(host);
  expect(found).toHaveLength(1);
  return found[0] ?? '';
}

/** Destinations of all routes with tsnet's protocol number, of both families and all tables. */
export async function markedRoutes(host: TsnetHost): Promise<string[]> {
  const all = await Promise.all(
    ['-4', '-6'].map(f => ipJson(host.host, f, 'route', 'show', 'table', 'all', 'proto', '116')),
  );
  return all.flat().map(route => String(route['dst']));
}

/** Addresses with a permanent neighbour entry on a link. */
export async function permanentNeighbours(host: TsnetHost, link: string): Promise<string[]> {
  const rows = await ipJson(host.host, 'neigh', 'show', 'dev', link, 'nud', 'permanent');
  return rows.map(row => String(row['dst']));
}

/** Removes every container and every network of tsnet from a host, and asserts that the kernel has nothing of it left. */
export async function wipe(host: TsnetHost): Promise<void> {
  const containers = (await host.docker('ps', '-aq')).split('\n').filter(id => id !== '');
  if (containers.length > 0) await host.docker('rm', '-f', ...containers);
  const networks = (await host.docker('network', 'ls', '-q', '-f', 'driver=tsnet')).split('\n');
  for (const id of networks) if (id !== '') await host.docker('network', 'rm', id);
  await soon(async () => expect(await host.links()).toEqual([]));
  await soon(async () => expect(await markedRoutes(host)).toEqual([]));
}

/**
 * Runs a line of shell on a host and then asks again and again until another one succeeds.
 * @returns milliseconds from the end of the first to the first success of the second
 * @throws Error when that takes more than 5 s
 */
export async function timeUntil(host: TsnetHost, damage: string, mended: string): Promise<number> {
  const { stdout } = await host.host.sh(`${damage}
    start=\${EPOCHREALTIME/./}
    until ${mended}; do
      [ $((\${EPOCHREALTIME/./} - start)) -lt 5000000 ] || { echo 'not mended within 5 s' >&2; exit 1; }
    done > /dev/null
    echo $((\${EPOCHREALTIME/./} - start))`);
  return Number(stdout) / 1000;
}
