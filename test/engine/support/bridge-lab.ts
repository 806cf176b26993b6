import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { LabNode } from '../../lab/node.ts';
import { waitFor } from '../../lab/wait.ts';
import { firewallElements, store } from './host-view.ts';
import { ipJson, type Pinger } from './macvlan-lab.ts';
import { soon } from './soon.ts';
import type { TsnetHost } from './tsnet-host.ts';

const PEER_SERVER = join(import.meta.dirname, '../fixtures/peer-server.ts');
const PEER_PORT = 7000;
const BRIDGE_SYSCTLS = '/proc/sys/net/bridge';

/**
 * The two ways in which a bridge may treat frames between its ports: past the firewall, or, with the module
 * br_netfilter, which engines load and switch on, through it. Without the module there is the first only.
 */
export const BR_NETFILTER: readonly string[] = existsSync(BRIDGE_SYSCTLS) ? ['0', '1'] : ['0'];

/** Sets it for a host. @param value one of BR_NETFILTER */
export async function setBrNetfilter(host: TsnetHost, value: string): Promise<void> {
  if (!existsSync(BRIDGE_SYSCTLS)) return;
  await host.host.sh(
    `cd ${BRIDGE_SYSCTLS}; for f in ip ip6; do echo ${value} > bridge-nf-call-\${f}tables; done`,
  );
}

/** `docker network create -d tsnet`. @returns the network's id */
export const createNetwork = (host: TsnetHost, name: string, ...options: string[]): Promise<string> =>
  host.docker('network', 'create', '-d', 'tsnet', ...options, name);

/** `-o key=value` for each pair. */
export const driverOptions = (options: Record<string, string>): string[] =>
  Object.entries(options).flatMap(([key, value]) => ['-o', `${key}=${value}`]);

/** The set elements of tsnet's table, but for those that name the engine's own bridges, which are there always. */
export async function ownElements(host: TsnetHost): Promise<string[]> {
  const all = (await firewallElements(host)) ?? [];
  return all.filter(element => !element.startsWith('engine_bridges '));
}

/** Asserts that neither the kernel, a moment later, nor the store has anything of a network or container left. */
export async function expectNothingLeft(host: TsnetHost): Promise<void> {
  await soon(async () => expect(await host.links()).toEqual([]));
  expect(await ownElements(host)).toEqual([]);
  const { networks, endpoints } = await store(host);
  expect({ networks, endpoints }).toEqual({ networks: [], endpoints: [] });
}

/** Removes every container and every network that was created, and asserts that nothing of them is left. */
export async function clean(host: TsnetHost): Promise<void> {
  const containers = (await host.docker('ps', '-aq')).split('\n').filter(id => id !== '');
  if (containers.length > 0) await host.docker('rm', '-f', ...containers);
  const networks = (await host.docker('network', 'ls', '-q', '-f', 'type=custom')).split('\n');
  for (const id of networks) if (id !== '') await host.docker('network', 'rm', id);
  await expectNothingLeft(host);
}

/** Starts a server on a node that tells who connects by what address they come; it ends with the node. */
export async function startPeerServer(node: LabNode): Promise<void> {
  await node.spawn('node', [PEER_SERVER, String(PEER_PORT)]);
  await waitFor(async () => (await talk(node, '127.0.0.1', PEER_PORT)) !== undefined, {
    what: `the peer server of ${node.name}`,
  });
}

/**
 * Connects over TCP and returns the first thing said, or undefined when there is no connection within two seconds.
 * @param address bare
 */
export async function talk(from: Pinger, address: string, port: number): Promise<string | undefined> {
  const nc = ['nc', '-w', '2', address, String(port)];
  const result =
    'on' in from
      ? await from.on.host.docker('exec', from.container, ...nc)
      : await from.exec('busybox', nc, { reject: false });
  const said = String(result.stdout).trim();
  return result.exitCode === 0 && said !== '' ? said : undefined;
}

/** The address that the peer server at `address` sees a client come from; undefined when it cannot be reached. */
export const seenAs = (from: Pinger, address: string): Promise<string | undefined> =>
  talk(from, address, PEER_PORT);

/** Starts a server in a container that says its container's name to all who connect, and waits until it listens. */
export async function serveName(host: TsnetHost, container: string, port = 80): Promise<void> {
  await host.docker('exec', '-d', container, 'nc', '-ll', '-p', String(port), '-e', 'echo', container);
  await waitFor(async () => (await talk({ on: host, container }, '127.0.0.1', port)) === container, {
    what: `the server in ${container}`,
  });
}

/** Runs `action` while a node has a route. @param route as of `ip route add`, destination first */
export async function withRoute<T>(
  node: LabNode,
  route: readonly [string, ...string[]],
  action: () => Promise<T>,
): Promise<T> {
  const family = route[0].includes(':') ? '-6' : '-4';
  await node.exec('ip', [family, 'route', 'add', ...route]);
  try {
    return await action();
  } finally {
    await node.exec('ip', [family, 'route', 'del', ...route]);
  }
}

/** Addresses on a link of a node, CIDR, without the link-local ones that the kernel makes. */
export async function addressesOn(node: LabNode, link: string): Promise<string[]> {
  const rows = (await ipJson(node, 'addr', 'show', 'dev', link)) as {
    addr_info?: { local: string; prefixlen: number; scope: string }[];
  }[];
  return rows
    .flatMap(row => row.addr_info ?? [])
    .filter(address => address.scope !== 'link')
    .map(address => `${address.local}/${address.prefixlen}`);
}

/** Whether a node has a link of that name. */
export const hasLink = async (node: LabNode, link: string): Promise<boolean> =>
  (await node.exec('ip', ['link', 'show', 'dev', link], { reject: false })).exitCode === 0;

/** What `ip route` says inside a container, of one family. */
export const routesIn = (host: TsnetHost, container: string, family: '-4' | '-6' = '-4'): Promise<string> =>
  host.docker('exec', container, 'ip', family, 'route');
