import { closeSync } from 'node:fs';
import type { PortHold } from '../../host-state/types.ts';
import type { Relay } from '../../relay/relay.ts';
import { startTcpRelay } from '../../relay/tcp-relay.ts';
import { startUdpRelay } from '../../relay/udp-relay.ts';
import { NetlinkError } from '../netlink/netlink-error.ts';
import { setReuseAddress } from './sockets.ts';

/**
 * Starts what the hold is to be relayed by, on its socket, which is the relay's from then on and closed on failure. An
 * SCTP port is only held: node has no sockets for it.
 */
export function startRelay(fd: number, { protocol, address, port, relay }: PortHold): Relay | undefined {
  if (relay === undefined || protocol === 'sctp') return undefined;
  try {
    if (protocol === 'udp') return startUdpRelay(fd, { place: { address, port }, target: relay });
    // The connections inherit it, so that the port can be held again when they have ended: see bindPast. A socket that
    // listens excludes others all the same.
    NetlinkError.check(setReuseAddress(fd, true), 'setsockopt SO_REUSEADDR');
    return startTcpRelay(fd, relay);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

export const sameRelay = (a: PortHold, b: PortHold): boolean => relayText(a) === relayText(b);
const relayText = ({ relay }: PortHold): string =>
  relay === undefined ? '' : JSON.stringify([relay.address, relay.port, relay.allowFrom ?? null]);
