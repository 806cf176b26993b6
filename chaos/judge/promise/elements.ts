import { bareOf, familyOf } from '../addresses.ts';
import type { KernelView } from '../kernel/types.ts';
import type { PromisedEndpoint, Promises } from './endpoint.ts';
import { isBridge, isNat, type PromisedNetwork, subnetOf } from './network.ts';
import { isWayOut, type PromisedPort, publishedOnHost } from './published.ts';
import { ownAddresses, shimAlias, sourceTowards } from './shim.ts';

/**
 * What the sets and maps of tsnet's table are to hold, as TableView.elements has it; `*` is any word.
 * The rules of docs/publishing.md and docs/modes in the words of the table.
 */
export function promisedElements({ networks, endpoints }: Promises, kernel: KernelView): string[] {
  const shims = new Map(
    kernel.host.links
      .filter(({ alias }) => alias.startsWith('tsnet:shim:'))
      .map(({ alias, name }) => [alias, name]),
  );
  const shimOf = ({ parent }: PromisedNetwork): string => shims.get(shimAlias(parent)) ?? '?';
  const elements = [
    ...engineBridges(kernel),
    ...networks.flatMap(network => ofNetwork(network, shimOf(network))),
    ...endpoints.flatMap(endpoint =>
      ofEndpoint(endpoint, {
        ports: isWayOut(endpoint, kernel.containers.get(endpoint.container.name))
          ? publishedOnHost(endpoint)
          : [],
        shim: shimOf(endpoint.on),
      }),
    ),
  ];
  return [...new Set(elements)];
}

/** The engine's own bridges, but for those that its user has named. */
const engineBridges = ({ host }: KernelView): string[] =>
  host.links
    .filter(({ kind, name }) => kind === 'bridge' && /^(docker0|docker_gwbridge|br-[0-9a-f]{12})$/.test(name))
    .map(({ name }) => `engine_bridges ${name}`);

function ofNetwork(network: PromisedNetwork, shim: string): string[] {
  const { kind, internal, gatewayMode } = network;
  if (!isBridge(network)) {
    const published = !internal && network.shim && (network.publish === 'host' || network.publish === 'both');
    return published ? [`shims ${shim}`, `localnet ${shim}`] : [];
  }
  const link = network.link?.name ?? network.parent;
  const policy = [
    ...([4, 6] as const).flatMap(family =>
      gatewayMode[family] === 'nat-unprotected'
        ? [`unprotected${family} ${link}`]
        : gatewayMode[family] === 'routed'
          ? [`routed${family} ${link}`]
          : [],
    ),
    ...(network.isolation ? [] : [`unisolated ${link}`]),
  ];
  const both = `same_bridge ${link} ${link}`;
  if (kind === 'foreign') return [both, ...(internal ? [] : policy)];
  const own = [`bridges ${link}`, both, ...(network.icc ? [] : [`no_icc ${link}`])];
  if (internal) return [...own, `internal ${link}`];
  const nat4 = network.ipv4 && isNat(gatewayMode[4]);
  const nat6 = network.ipv6 && isNat(gatewayMode[6]);
  return [
    ...own,
    ...policy,
    ...(nat4 ? [`localnet ${link}`] : []),
    ...(nat4 && network.masquerade ? [`masquerade4 ${link}`] : []),
    ...(nat6 && network.masquerade ? [`masquerade6 ${link}`] : []),
  ];
}

function ofEndpoint(
  endpoint: PromisedEndpoint,
  { ports, shim }: { ports: readonly PromisedPort[]; shim: string },
): string[] {
  const { on } = endpoint;
  const addresses = endpoint.addresses.map(bareOf);
  const admitted = ports.length > 0 ? addresses.flatMap(address => admission(on, address)) : [];
  return [
    ...ports.flatMap(redirection),
    ...(ports.length > 0 ? addresses.map(address => `self${familyOf(address)} ${address} ${address}`) : []),
    ...admitted,
    ...(on.kind === 'foreign' ? addresses.flatMap(address => guest(on, address, ports.length > 0)) : []),
    ...(on.kind === 'lan' && ports.length > 0
      ? addresses.flatMap(address => {
          const source = sourceTowards(on, address);
          return source === undefined
            ? []
            : [`published_source${familyOf(address)} ${shim} ${address} : ${source}`];
        })
      : []),
    ...opened(endpoint),
  ];
}

function redirection({ protocol, hostAddress, hostPort, port, target }: PromisedPort): string[] {
  if (target === undefined) return [];
  const family = familyOf(hostAddress);
  const from = `${protocol} ${hostPort === 0 ? '*' : hostPort}`;
  const any = hostAddress === '0.0.0.0' || hostAddress === '::';
  return any
    ? [`publish${family} ${from} : ${target} ${port}`]
    : [`publish_at${family} ${hostAddress} ${from} : ${target} ${port}`];
}

function admission(on: PromisedNetwork, address: string): string[] {
  const family = familyOf(address);
  const allowed = on.allowFrom.filter(client => familyOf(client) === family);
  return [
    ...(on.allowFrom.length > 0 ? [`restricted${family} ${address}`] : []),
    // A single address is listed with or without its length.
    ...allowed.map(client => `allow_from${family} ${address} ${client.replace(/\/(32|128)$/, '')}`),
    ...(on.ufw ? [`ufw${family} ${address}`] : []),
  ];
}

/** tsnet's containers on a bridge that others are on, too. */
function guest(on: PromisedNetwork, address: string, published: boolean): string[] {
  const family = familyOf(address);
  const link = on.link?.name ?? on.parent;
  const translated = on.masquerade && !on.internal && on.gatewayMode[family] !== 'routed';
  return [
    `guest${family} ${link} ${address}`,
    ...(translated ? [`guest_masquerade${family} ${link} ${address}`] : []),
    ...(published ? guestSource(on, address) : []),
  ];
}

/** Guests whose gateway is not the host would answer past it. */
function guestSource(on: PromisedNetwork, address: string): string[] {
  const subnet = subnetOf(on, address);
  if (on.link === undefined || subnet === undefined) return [];
  const own = ownAddresses(on.link, familyOf(address));
  const source = sourceTowards({ ...on, subnets: on.subnets.map(one => ({ ...one, aux: {} })) }, address);
  if (source === undefined || (subnet.gateway !== undefined && own.includes(subnet.gateway))) return [];
  return [`published_source${familyOf(address)} ${on.link.name} ${address} : ${source}`];
}

/** Where nothing is translated, a published port is one of the container's own that is open. */
function opened(endpoint: PromisedEndpoint): string[] {
  const { on, container } = endpoint;
  if (!isBridge(on) || on.internal || container.ports.length === 0) return [];
  return endpoint.addresses.map(bareOf).flatMap(address => {
    const family = familyOf(address);
    if (on.gatewayMode[family] !== 'routed') return [];
    const meant = container.ports.filter(({ hostIp }) => hostIp === '' || familyOf(hostIp) === family);
    const ports = meant.map(
      ({ protocol, container: port }) => `open${family} ${address} ${protocol} ${port}`,
    );
    return ports.length === 0 ? [] : [...ports, ...admission(on, address)];
  });
}
