import { bridgeName, containerLinkName, portName, shimName } from '../../../src/host-state/names.ts';
import type { Endpoint, Network } from '../../../src/model.ts';
import { decodeEndpoint, decodeNetwork } from '../../../src/store/documents.ts';
import { allPids, argv, namespaceOf, stat } from '../../lab/proc.ts';
import { waitFor } from '../../lab/wait.ts';
import { ipJson } from './macvlan-lab.ts';
import type { TsnetHost } from './tsnet-host.ts';

/** What the store of a host's daemon holds at this moment. */
export interface StoreView {
  readonly networks: Network[];
  readonly endpoints: Endpoint[];
  readonly pools: string[];
  /** Bare addresses. */
  readonly leases: string[];
}

interface Row {
  readonly id: string;
  readonly document: string;
}

/** Runs on the host: SQLite resolves /proc/PID/root, so the file cannot be opened from outside. */
const READ = `
  const { DatabaseSync } = require('node:sqlite');
  const db = new DatabaseSync('/var/lib/tsnet/tsnet.db', { readOnly: true, timeout: 2000 });
  const [networks, endpoints, pools, leases] = [
    'SELECT id, document FROM network',
    'SELECT id, document FROM endpoint',
    'SELECT id FROM pool ORDER BY id',
    'SELECT address FROM lease ORDER BY address',
  ].map(sql => db.prepare(sql).all());
  console.log(JSON.stringify({ networks, endpoints, pools, leases }));
`;

/** Reads the state file beside the daemon, as an administrator with sqlite3 would. */
export async function store(host: TsnetHost): Promise<StoreView> {
  const { stdout } = await host.host.exec('node', ['-e', READ]);
  const tables = JSON.parse(String(stdout)) as {
    networks: Row[];
    endpoints: Row[];
    pools: { id: string }[];
    leases: { address: string }[];
  };
  return {
    networks: tables.networks.map(row => decodeNetwork(row.id, row.document)),
    endpoints: tables.endpoints.map(row => decodeEndpoint(row.id, row.document)),
    pools: tables.pools.map(row => row.id),
    leases: tables.leases.map(row => row.address),
  };
}

/** Indexes by name of the links in the host's own namespace that bear tsnet's mark: a rebuilt link has a new one. */
export async function linkIndexes(host: TsnetHost): Promise<Record<string, number>> {
  const links = await ipJson(host.host, 'link');
  return Object.fromEntries(
    links
      .filter(link => String(link['ifalias'] ?? '').startsWith('tsnet:'))
      .map(link => [String(link['ifname']), Number(link['ifindex'])] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** Contents of the sets of tsnet's table, `set key`, sorted; undefined when there is no such table. */
export async function firewallElements(host: TsnetHost): Promise<string[] | undefined> {
  const listing = await host.host.exec('nft', ['-j', 'list', 'table', 'inet', 'tsnet'], { reject: false });
  if (listing.exitCode !== 0) return undefined;
  const { nftables } = JSON.parse(String(listing.stdout)) as {
    nftables: { set?: { name: string; elem?: (string | { concat: string[] })[] } }[];
  };
  return nftables
    .flatMap(({ set }) =>
      (set?.elem ?? []).map(e => `${set?.name} ${typeof e === 'string' ? e : e.concat.join(' ')}`),
    )
    .sort();
}

/** The marked links of the host's namespace that a store calls for; a macvlan link is in its container. */
export function linksCalledFor({ networks, endpoints }: StoreView): string[] {
  const names = new Set<string>();
  for (const network of networks) {
    if (network.base.kind === 'own') names.add(network.base.link);
    else if (network.options.mode === 'macvlan' && network.options.shim)
      names.add(shimName(network.base.link));
    for (const endpoint of endpoints) {
      const isPort =
        endpoint.networkId === network.id && endpoint.joined && network.options.mode === 'bridge';
      if (isPort) names.add(portName(endpoint.id));
    }
  }
  return [...names].sort();
}

/** The set elements that a store's bridge networks with masquerading, IPv4 only, call for. */
export function elementsCalledFor({ networks }: StoreView): string[] {
  return networks
    .filter(network => network.options.mode === 'bridge')
    .flatMap(({ base: { link } }) => [
      `bridges ${link}`,
      `localnet ${link}`,
      `masquerade4 ${link}`,
      `same_bridge ${link} ${link}`,
    ])
    .sort();
}

/** Ids of the networks of a driver, and of the endpoints on them, as the engine has them. */
export async function engineView(host: TsnetHost): Promise<{ networks: string[]; endpoints: string[] }> {
  const ids = await host.docker('network', 'ls', '-q', '--no-trunc', '-f', 'driver=tsnet');
  const networks = ids.split('\n').filter(id => id !== '');
  const format = '{{range .Containers}}{{.EndpointID}} {{end}}';
  const inspected =
    networks.length === 0 ? '' : await host.docker('network', 'inspect', '-f', format, ...networks);
  return {
    networks: networks.sort(),
    endpoints: inspected
      .split(/\s+/)
      .filter(id => id !== '')
      .sort(),
  };
}

/** Whether DOCKER-USER of IPv4 has tsnet's rule, once. */
export async function hasDockerUserRule(host: TsnetHost): Promise<boolean> {
  const { stdout, exitCode } = await host.host.exec('iptables', ['-S', 'DOCKER-USER'], { reject: false });
  const rules = String(stdout)
    .split('\n')
    .filter(line => line.includes('0x10000000/0x10000000'));
  return exitCode === 0 && rules.length === 1;
}

/** Id of a network by its name. */
export const networkId = (host: TsnetHost, name: string): Promise<string> =>
  host.docker('network', 'inspect', '-f', '{{.Id}}', name);

/** Name of the bridge of a network. */
export const bridgeOf = async (host: TsnetHost, network: string): Promise<string> =>
  bridgeName(await networkId(host, network));

/** Names of an endpoint's two links: the port on the bridge, and the one that is inside the container. */
export async function linksOf(
  host: TsnetHost,
  container: string,
  network: string,
): Promise<{ port: string; inside: string }> {
  const id = String((await host.attachment(container, network))['EndpointID']);
  return { port: portName(id), inside: containerLinkName(id) };
}

/**
 * Starts the daemon and waits until it has restored the host: the socket of a killed one is there from the start.
 * @param args more arguments of `tsnet serve`
 */
export async function startRestored(host: TsnetHost, ...args: string[]): Promise<void> {
  const logged = host.log().length;
  await host.start(...args);
  await waitFor(() => host.log().slice(logged).includes('reason=start'), {
    what: () => `tsnet to restore the host:\n${host.log().slice(logged)}`,
  });
}

/** The daemon's process on a host, as the machine numbers it. @throws Error when there is not exactly one */
export function daemonOf(host: TsnetHost): number {
  const net = namespaceOf(host.host.pid, 'net');
  const serving = allPids().filter(pid => argv(pid)[1] === 'serve' && namespaceOf(pid, 'net') === net);
  // A process that it starts looks like the daemon until it has become the other program.
  const found = serving.filter(pid => !serving.includes(stat(pid)?.parent ?? 0));
  if (found[0] === undefined || found.length > 1) throw new Error(`${found.length} daemons run`);
  return found[0];
}
