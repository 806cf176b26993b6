import { bareOf } from '../../addresses.ts';
import { AF_INET } from '../netlink/constants.ts';
import { addressBytes } from '../rtnetlink/notation.ts';
import { arpAnnouncement } from './arp.ts';
import { neighbourAdvertisement } from './neighbour-advertisement.ts';

/**
 * The Ethernet frames that tell everybody on a link whose addresses these are.
 * @param mac 6 bytes
 * @param addresses bare or CIDR, of both families
 * @throws Error of ipaddr.js for what is no address
 */
export const framesOf = (mac: Uint8Array, addresses: readonly string[]): Buffer[] =>
  addresses.map(address => {
    const { family, bytes } = addressBytes(bareOf(address));
    return family === AF_INET ? arpAnnouncement(mac, bytes) : neighbourAdvertisement(mac, bytes);
  });
