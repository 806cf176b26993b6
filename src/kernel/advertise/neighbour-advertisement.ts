import { ETH_P_IPV6, ethernetFrame } from './ethernet.ts';
import { internetChecksum } from './internet-checksum.ts';

/** ff02::1, and the MAC that IPv6 multicast to it has (RFC 2464 section 7). */
const ALL_NODES = Uint8Array.of(0xff, 0x02, ...new Uint8Array(13), 0x01);
const ALL_NODES_MAC = Uint8Array.of(0x33, 0x33, 0x00, 0x00, 0x00, 0x01);

const IPPROTO_ICMPV6 = 58;
/** Receivers drop others: it shows that no router has passed the packet on (RFC 4861 section 7.1.2). */
const HOP_LIMIT = 255;

const NEIGHBOUR_ADVERTISEMENT = 136;
/** Neither from a router nor solicited. */
const FLAG_OVERRIDE = 0x20;
const OPTION_TARGET_LINK_LAYER_ADDRESS = 2;
const CHECKSUM_OFFSET = 2;

/**
 * The Ethernet frame of an unsolicited neighbour advertisement to all nodes (RFC 4861 sections 4.4 and 7.2.6). Who has
 * an entry for the address takes the MAC over.
 * @param mac 6 bytes
 * @param address IPv6, 16 bytes: target of the advertisement, and its sender
 */
export function neighbourAdvertisement(mac: Uint8Array, address: Uint8Array): Buffer {
  const icmp = Buffer.concat([
    Uint8Array.of(NEIGHBOUR_ADVERTISEMENT, 0, 0, 0, FLAG_OVERRIDE, 0, 0, 0),
    address,
    // Its length is in units of 8 bytes.
    Uint8Array.of(OPTION_TARGET_LINK_LAYER_ADDRESS, 1),
    mac,
  ]);
  // RFC 8200 section 8.1.
  const pseudoHeader = [address, ALL_NODES, Uint8Array.of(0, 0, 0, icmp.length, 0, 0, 0, IPPROTO_ICMPV6)];
  icmp.writeUInt16BE(internetChecksum(Buffer.concat([...pseudoHeader, icmp])), CHECKSUM_OFFSET);
  const header = Uint8Array.of(0x60, 0, 0, 0, 0, icmp.length, IPPROTO_ICMPV6, HOP_LIMIT);
  const packet = Buffer.concat([header, address, ALL_NODES, icmp]);
  return ethernetFrame(ALL_NODES_MAC, mac, ETH_P_IPV6, packet);
}
