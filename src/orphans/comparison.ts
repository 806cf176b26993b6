import type { EngineEndpoint, EngineListing } from '../engine/listing.ts';
import type { CollectorParts } from './collector.ts';
import { type Listed, missing, type Own, toAsk } from './missing.ts';
import type { Orphan } from './orphan.ts';

/** Milliseconds after CreateNetwork within which the engine lists a network, however busy it is. */
const LISTED_WITHIN = 10_000;

/**
 * Asks the engine what it has. It answers from its memory, which it has filled before it answers anything: no list is a partial one, but for
 * networks of a swarm, which it asks to be made anew before it uses them.
 * @returns what it does not know of tsnet's, calls under way included
 * @throws Error when it cannot be asked, or is not the engine whose driver this is
 */
export async function comparison({
  state,
  held,
  heard,
  listing,
  ownEngine,
  isThere,
}: Pick<CollectorParts, 'state' | 'held' | 'heard' | 'ownEngine' | 'isThere'> & {
  readonly listing: EngineListing;
}): Promise<Orphan[]> {
  // Before the engine is asked: what comes meanwhile is not missing; of what goes meanwhile the removal finds nothing.
  const networks = state.networks();
  const endpoints = new Map(networks.map(({ id }) => [id, state.endpointsOf(id)]));
  const own: Own = { networks, endpointsOf: id => endpoints.get(id) ?? [], ...held() };
  if (networks.length + own.pools.length + own.leases.length === 0) return [];

  const listed = await ask(listing, own);
  const found = missing(own, listed, isThere);
  if (found.length === 0) return found;
  const engineId = await listing.engineId();
  const known = new Set(listed.networks.map(({ id }) => id));
  if (networks.some(({ id }) => known.has(id))) ownEngine.lists(engineId);
  // A name is what the engine was seen to list.
  else if (networks.some(({ id, name }) => name === undefined && wasMade(heard.silence(`network ${id}`))))
    ownEngine.listsNot(engineId);
  if (ownEngine.is(engineId)) return found;
  throw new Error(`the engine ${engineId} is another one`);
}

async function ask(listing: EngineListing, own: Own): Promise<Listed> {
  const networks = await listing.networks();
  const endpoints = new Map<string, readonly EngineEndpoint[]>();
  for (const id of toAsk(own, networks)) endpoints.set(id, await listing.endpoints(id));
  return { networks, endpoints };
}

/** Whether the engine has asked for a network in the life of this process: one that is there now has been made. */
const wasMade = (silence: number | undefined): boolean => silence !== undefined && silence >= LISTED_WITHIN;
