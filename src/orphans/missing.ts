import type { EngineEndpoint, EngineNetwork } from '../engine/listing.ts';
import { gatewayCount } from '../ipam/claim.ts';
import type { Endpoint, Network } from '../model.ts';
import type { StoredLease, StoredPool } from '../store/types.ts';
import { type Orphan, orphanAddress, orphanEndpoint, orphanNetwork, orphanPool } from './orphan.ts';

/** What tsnet has, as it was before the engine was asked. */
export interface Own {
  readonly networks: readonly Network[];
  readonly endpointsOf: (networkId: string) => readonly Endpoint[];
  /** Of the space whose pools belong to networks of this engine alone: those of a swarm's manager are not among them. */
  readonly pools: readonly StoredPool[];
  readonly leases: readonly StoredLease[];
}

/** What the engine has. */
export interface Listed {
  readonly networks: readonly EngineNetwork[];
  /** By id of the network, for all that toAsk() names. */
  readonly endpoints: ReadonlyMap<string, readonly EngineEndpoint[]>;
}

/** IPAM drivers of the engine's own. Any other may be tsnet, which does not know all the names that it has. */
const BUILTIN = new Set(['default', 'null']);

/** Networks of a swarm. A manager lists them as they are in the swarm, without the subnets that each node has for them. */
const OF_SWARM = /^[0-9a-z]{25}$/;

/** Ids of the networks whose endpoints have to be known to tell what is missing. */
export function toAsk(own: Own, networks: readonly EngineNetwork[]): string[] {
  const withEndpoints = own.networks.filter(({ id }) => own.endpointsOf(id).length > 0).map(({ id }) => id);
  const ids = new Set(withEndpoints);
  const leased = new Set(own.leases.filter(isOfContainer).map(({ pool }) => pool));
  const mayHoldLeases = (network: EngineNetwork) =>
    subnetsOf(network).some(({ subnet }) => leased.has(subnet)) ||
    (leased.size > 0 && OF_SWARM.test(network.id));
  return networks.filter(network => ids.has(network.id) || mayHoldLeases(network)).map(({ id }) => id);
}

/**
 * What tsnet has and the engine does not know.
 * @param isThere whether there is a network namespace at the path of a sandbox
 */
export function missing(own: Own, listed: Listed, isThere: (sandbox: string) => boolean): Orphan[] {
  const known = new Set(listed.networks.map(({ id }) => id));
  const objects = own.networks.flatMap(network => {
    const endpoints = own.endpointsOf(network.id);
    if (!known.has(network.id)) return orphanNetwork(network, whyKept(endpoints, isThere));
    const ids = new Set(listed.endpoints.get(network.id)?.map(({ id }) => id));
    return endpoints
      .filter(endpoint => !ids.has(endpoint.id))
      .map(endpoint => orphanEndpoint(network, endpoint));
  });
  return [...objects, ...missingAddresses(own, listed), ...missingPools(own, listed.networks)];
}

/** An engine may have lost a network under its containers (its own state was removed): they are not cut off. */
export function whyKept(
  endpoints: readonly Endpoint[],
  isThere: (sandbox: string) => boolean,
): string | undefined {
  const alive = endpoints.filter(
    ({ joined, sandbox }) => joined && sandbox !== undefined && isThere(sandbox),
  );
  return alive.length === 0
    ? undefined
    : `${alive.length === 1 ? 'a container is' : `${alive.length} containers are`} on it`;
}

function missingAddresses({ leases }: Own, listed: Listed): Orphan[] {
  const inUse = addressesOf(listed);
  const counts = new Map<string, number>();
  const usersOf = (pool: string): number => {
    const count = counts.get(pool) ?? countUsers(pool, listed.networks);
    counts.set(pool, count);
    return count;
  };
  const isMissing = ({ pool, address, holder }: StoredLease): boolean => {
    const gateways = gatewayCount(holder);
    // The engine does not list a gateway that it has chosen by itself. What can be told is that it has more users than there are.
    if (gateways > 0) return gateways > usersOf(pool);
    return usersOf(pool) === 0 || !inUse.has(address);
  };
  return leases.filter(isMissing).map(lease => orphanAddress(lease));
}

function missingPools({ pools }: Own, networks: readonly EngineNetwork[]): Orphan[] {
  const isUsed = ({ pool, subPool }: StoredPool) =>
    networks.some(network =>
      subnetsOf(network).some(({ subnet, range }) => subnet === pool && range === subPool),
    );
  return pools.filter(pool => !isUsed(pool)).map(pool => orphanPool(pool));
}

const isOfContainer = (lease: StoredLease): boolean => gatewayCount(lease.holder) === 0;

const subnetsOf = ({ ipam, subnets }: EngineNetwork): EngineNetwork['subnets'] =>
  BUILTIN.has(ipam) ? [] : subnets;

const countUsers = (pool: string, networks: readonly EngineNetwork[]): number =>
  networks.filter(network => subnetsOf(network).some(({ subnet }) => subnet === pool)).length;

const addressesOf = ({ networks, endpoints }: Listed): Set<string> =>
  new Set([
    ...networks.flatMap(network => subnetsOf(network).flatMap(({ reserved }) => reserved)),
    ...[...endpoints.values()].flatMap(all => all.flatMap(({ addresses }) => addresses)),
  ]);
