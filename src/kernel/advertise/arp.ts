import { ETH_P_ARP, ethernetFrame } from './ethernet.ts';

const BROADCAST = new Uint8Array(6).fill(0xff);
/** Ethernet and IPv4 with addresses of their lengths, and the operation: a request. */
const HEADER = Uint8Array.of(0x00, 0x01, 0x08, 0x00, 6, 4, 0x00, 0x01);
const UNKNOWN_MAC = new Uint8Array(6);

/**
 * The Ethernet frame of an ARP announcement: a broadcast request for the sender's own address (RFC 5227 section 2.3;
 * section 3 has why requests are preferred to replies). Who has an entry for the address takes the sender's MAC over.
 * @param mac 6 bytes
 * @param address IPv4, 4 bytes
 */
export function arpAnnouncement(mac: Uint8Array, address: Uint8Array): Buffer {
  const arp = Buffer.concat([HEADER, mac, address, UNKNOWN_MAC, address]);
  return ethernetFrame(BROADCAST, mac, ETH_P_ARP, arp);
}
