import { type Family, formatAddress, parseAddress } from '../../addresses.ts';
import { socketAddress } from './sockets.ts';

/** What of an address of the host is needed for every port that is held on it. */
export interface HostAddress {
  /** Canonical. */
  readonly text: string;
  readonly family: Family;
  /** Whether it stands for every address of its family. */
  readonly isWildcard: boolean;
  /** Its struct sockaddr, whose port is what bind(2) was last called with. */
  readonly socketAddress: Buffer;
}

/** Spellings that are remembered. A host has few addresses, but thousands of ports may be published on each. */
const MOST_KNOWN = 256;

const known = new Map<string, HostAddress>();

/**
 * Reads an address, each only once.
 * @param text a bare address
 * @throws TsnetError ADDRESS_INVALID
 */
export function hostAddress(text: string): HostAddress {
  const present = known.get(text);
  if (present !== undefined) return present;
  const { family, value } = parseAddress(text);
  const address: HostAddress = {
    text: formatAddress(family, value),
    family,
    isWildcard: value === 0n,
    socketAddress: socketAddress(family, value, 0),
  };
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(text, address);
  return address;
}
