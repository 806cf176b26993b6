import { type Address, parseAddress } from '../addresses.ts';
import { TsnetError } from '../errors.ts';
import type { AddressRequest } from '../protocol/types.ts';
import type { StoredLease, StoredPool } from '../store/types.ts';
import type { Book } from './book.ts';
import { claim, gatewayCount, gatewayHolder, type Moment } from './claim.ts';
import type { Subnet } from './subnet.ts';

/** What is seen of addresses (bare, canonical) on the networks that there are, whatever is leased. */
export interface Seen {
  /** Whether a container that lives has it, or a network as its gateway. */
  isInUse(address: string): boolean;
  /** Whether a network has it as its gateway. */
  isGateway(address: string): boolean;
}

/** What is known of the engine and of the networks. */
export type AddressMoment = Pick<Moment, 'replaying'> & { readonly seen: Seen };

/**
 * Gives an address of a pool.
 * @param pool may be one that the book has not: it is written together with the lease
 * @returns bare address, canonical
 * @throws TsnetError ADDRESS_INVALID, ADDRESS_TAKEN, ADDRESSES_EXHAUSTED
 */
export function takeAddress(
  book: Book,
  pool: StoredPool,
  request: AddressRequest,
  { replaying, seen }: AddressMoment,
): string {
  const subnet = book.subnet(pool.space, pool.pool);
  const offset = request.address === undefined ? undefined : subnet.offsetOf(parseAddress(request.address));
  const chosen = offset ?? choose(subnet, pool, request.gateway, seen);
  const address = subnet.addressAt(chosen);
  // What is chosen freely is nobody's.
  const held = offset === undefined ? undefined : subnet.lease(chosen);
  const moment = { epoch: book.epoch, replaying, isInUse: () => seen.isInUse(address) };
  const result = claim(held, request, pool, moment);
  if (result === 'taken') throw new TsnetError('ADDRESS_TAKEN', describeTaken(address, pool, held));
  const lease: StoredLease = {
    space: pool.space,
    pool: pool.pool,
    address,
    epoch: book.epoch,
    ...(result.holder === undefined ? {} : { holder: result.holder }),
  };
  // Only a free choice moves the search on: a gateway is at the start of the range, wherever the search has got to.
  const moves = offset === undefined && !request.gateway;
  const isNew = book.pool(pool.id) === undefined;
  const after = moves ? { ...pool, cursor: String(chosen) } : pool;
  book.putLease(chosen, lease, moves || isNew ? after : undefined);
  return address;
}

/** Takes back an address; a gateway that networks share goes with the last of them. */
export function returnAddress(
  book: Book,
  { space, pool }: Pick<StoredPool, 'space' | 'pool'>,
  address: Address,
): 'released' | 'kept' | 'unknown' {
  const subnet = book.subnet(space, pool);
  const offset = subnet.find(address);
  const lease = offset === undefined ? undefined : subnet.lease(offset);
  if (offset === undefined || lease === undefined) return 'unknown';
  const networks = gatewayCount(lease.holder);
  if (networks > 1) {
    book.putLease(offset, { ...lease, holder: gatewayHolder(networks - 1) });
    return 'kept';
  }
  book.deleteLease(offset, lease);
  return 'released';
}

/**
 * An engine up to 27 whose replay of a network was cut off releases the gateway, and keeps the network with it until its next start
 * (moby libnetwork, ipamAllocate): what a network has as its gateway is no container's, leased or not.
 */
function choose(subnet: Subnet, pool: StoredPool, gateway: boolean, seen: Seen): bigint {
  if (gateway) return subnet.first(pool.subPool);
  const first = subnet.next(pool.subPool, BigInt(pool.cursor));
  let chosen = first;
  while (seen.isGateway(subnet.addressAt(chosen))) {
    chosen = subnet.next(pool.subPool, chosen);
    if (chosen === first) throw subnet.exhausted(pool.subPool);
  }
  return chosen;
}

const describeTaken = (address: string, { pool }: StoredPool, held: StoredLease | undefined): string =>
  `${address} of the pool ${pool} is taken${held?.holder === undefined ? '' : ` by ${held.holder}`}`;
