import { bareOf, canonicalCidr, cidrContains, cidrOverlaps, parseAddress, parseCidr } from '../addresses.ts';
import { TsnetError } from '../errors.ts';
import type { Network, NetworkOptions, Subnet } from '../model.ts';
import { realSubnets } from '../modes/addressing.ts';
import type { CreateNetworkRequest, IpamData } from '../protocol/types.ts';
import { nameOfNetwork } from './object-names.ts';

/** The network that a request asks for, checked in itself: everything but what it hangs on. */
export type NetworkDescription = Omit<Network, 'base' | 'lifecycle' | 'name'>;

/** @throws TsnetError ADDRESS_INVALID, OPTION_INVALID */
export function describeNetwork(request: CreateNetworkRequest, options: NetworkOptions): NetworkDescription {
  const { ipv6 } = request;
  if (ipv6 && options.mtu > 0 && options.mtu < 1280) {
    throw new TsnetError(
      'OPTION_INVALID',
      `MTU ${options.mtu} is below 1280, the least that IPv6 works with (RFC 8200)`,
    );
  }
  return {
    id: request.networkId,
    options,
    internal: request.internal,
    ipv4: request.ipv4,
    ipv6,
    subnets4: request.ipv4Data.map(subnet),
    subnets6: request.ipv6Data.map(subnet),
  };
}

function subnet(data: IpamData): Subnet {
  const pool = parseCidr(data.pool);
  const inside = (what: string, address: string) => {
    if (pool.prefix > 0 && !cidrContains(pool, parseAddress(bareOf(address)))) {
      throw new TsnetError('ADDRESS_INVALID', `${what} ${address} is not in subnet ${data.pool}`);
    }
  };
  if (data.gateway !== undefined) inside('gateway', data.gateway);
  for (const [name, address] of Object.entries(data.aux)) inside(`aux address ${name}`, address);
  return {
    pool: canonicalCidr(data.pool, { network: true }),
    ...(data.gateway === undefined ? {} : { gateway: data.gateway }),
    aux: data.aux,
  };
}

/**
 * A host cannot have the same subnet on two bridges: it would route to one of them only.
 * @throws TsnetError SUBNET_OVERLAP
 */
export function refuseOverlap(network: NetworkDescription, others: readonly Network[]): void {
  const bridges = others.filter(other => other.options.mode === 'bridge' && other.base.kind === 'own');
  for (const mine of [...realSubnets(network.subnets4), ...realSubnets(network.subnets6)]) {
    for (const other of bridges) {
      const theirs = [...realSubnets(other.subnets4), ...realSubnets(other.subnets6)];
      const clash = theirs.find(their => cidrOverlaps(parseCidr(mine.pool), parseCidr(their.pool)));
      if (clash !== undefined) {
        throw new TsnetError(
          'SUBNET_OVERLAP',
          `subnet ${mine.pool} overlaps ${clash.pool} of ${nameOfNetwork(other)}`,
        );
      }
    }
  }
}

/** Whether a network in the store is the one asked for: the engine repeats calls whose answer was lost. */
export function isSameNetwork(network: Network, description: NetworkDescription): boolean {
  const { base: _base, lifecycle: _lifecycle, name: _name, ...stored } = network;
  return canonical(stored) === canonical(description);
}

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, v: unknown) =>
    v !== null && typeof v === 'object' && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)))
      : v,
  );
