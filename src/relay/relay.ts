import { networkInterfaces } from 'node:os';
import { type Cidr, cidrContains, parseAddress, parseCidr } from '../addresses.ts';
import type { PortHold } from '../host-state/types.ts';

/** Where a relay passes on to, and for whom. */
export type RelayTarget = NonNullable<PortHold['relay']>;

/** Passes on what comes to a held port. It does not keep the process alive, and nothing of it throws into the process. */
export interface Relay {
  /** Ends what is under way and passes on to another place from now on; the port is held meanwhile. */
  retarget(target: RelayTarget): void;
  /** Gives the port back at once and ends what is under way; resolves when all is closed. Never rejects. */
  close(): Promise<void>;
}

/**
 * Who is served: the host itself always, for its own connections pass no rule of the firewall either.
 * @param target.allowFrom CIDRs; absent: all are
 * @param ownAddresses of the host, asked for a client that no CIDR has
 * @returns judges a bare address, or one with a zone (`fe80::1%eth0`)
 */
export function admission(
  { allowFrom }: RelayTarget,
  ownAddresses: () => readonly string[] = addressesOfHost,
): (client: string) => boolean {
  if (allowFrom === undefined) return () => true;
  const cidrs: readonly Cidr[] = allowFrom.map(parseCidr);
  return client => {
    const bare = client.split('%')[0] ?? client;
    const address = parseAddress(bare);
    return cidrs.some(cidr => cidrContains(cidr, address)) || ownAddresses().includes(bare);
  };
}

const addressesOfHost = (): readonly string[] =>
  Object.values(networkInterfaces()).flatMap(addresses => addresses?.map(({ address }) => address) ?? []);
