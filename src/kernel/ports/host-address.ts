import { type Family, formatAddress, parseAddress } from '../../addresses.ts';
import { remembered } from '../../remembered.ts';
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

/**
 * Reads an address, each only once.
 * @param text a bare address
 * @throws TsnetError ADDRESS_INVALID
 */
export const hostAddress = remembered(MOST_KNOWN, (text: string): HostAddress => {
  const { family, value } = parseAddress(text);
  return {
    text: formatAddress(family, value),
    family,
    isWildcard: value === 0n,
    socketAddress: socketAddress(family, value, 0),
  };
});
