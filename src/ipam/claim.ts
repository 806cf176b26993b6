import type { StoredLease, StoredPool } from '../store/types.ts';

/** Holders of addresses that were asked for as a gateway; with spaces, which no name of a container has. */
const GATEWAY = /^gateway of (\d+) networks?$/;

/** How many networks have the address as their gateway; 0 if it is no gateway. */
export const gatewayCount = (holder: string | undefined): number =>
  Number(GATEWAY.exec(holder ?? '')?.[1] ?? 0);

export const gatewayHolder = (count: number): string =>
  `gateway of ${count} ${count === 1 ? 'network' : 'networks'}`;

export interface Claim {
  readonly gateway: boolean;
  readonly endpointName?: string;
}

/** What is known of the engine at the moment of a claim. */
export interface Moment {
  /** How often it has registered. */
  readonly epoch: number;
  /** Whether all that it has said since it registered may be a repetition of what it remembers. */
  readonly replaying: boolean;
  /** Whether the address is seen to be in use: a container that lives has it, or a network that there is as its gateway. */
  readonly isInUse: () => boolean;
}

/**
 * Who holds an address after somebody has asked for it by name.
 *
 * The engine asks for what it remembers again after each of its starts (RequiresRequestReplay), in no way marked as a
 * repetition. `epoch` counts registrations, which come before. So an address that is held is given
 *
 * - to a network that wants it as gateway, if it is a gateway already: networks that share a subnet of a LAN share the
 *   router too. They are counted, for each will release it, and counted anew after a registration.
 * - if it was last asked for under an earlier registration than its pool. The engine replays a network as its pool,
 *   its gateway, its other addresses; so either this is that replay, or the replay has gone by without this address
 *   and the engine has forgotten who had it. A registration that no replay follows (a managed plugin that is
 *   restarted, the start of swarm mode) leaves the pool's epoch behind as well, until another network is made on the
 *   same subnet: so once the replay is over, an address that is seen to be in use is given to nobody, and a gateway is not counted anew.
 * - to the container that is named as its holder. An engine of version 29 or later names it, and has only one of that name;
 *   it releases before it asks again unless tsnet was not running then.
 *
 * @returns the new holder, `undefined` for one that is not known; or `taken`
 */
export function claim(
  held: StoredLease | undefined,
  wanted: Claim,
  pool: Pick<StoredPool, 'epoch'>,
  { epoch, replaying, isInUse }: Moment,
): { readonly holder: string | undefined } | 'taken' {
  const holder = wanted.gateway ? gatewayHolder(1) : wanted.endpointName;
  if (held === undefined) return { holder };
  const isStale = held.epoch < epoch && pool.epoch === epoch;
  if (wanted.gateway) {
    const count = gatewayCount(held.holder);
    if (count > 0) return { holder: gatewayHolder(isStale && replaying ? 1 : count + 1) };
  }
  if (isStale && (replaying || !isInUse())) return { holder: holder ?? held.holder };
  return holder !== undefined && held.holder === holder ? { holder } : 'taken';
}
