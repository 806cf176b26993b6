/** Numbers of <linux/if_ether.h>. */
export const ETH_P_ARP = 0x0806;
export const ETH_P_IPV6 = 0x86dd;

/** An Ethernet II frame, without the padding and checksum that drivers add. */
export function ethernetFrame(
  destination: Uint8Array,
  source: Uint8Array,
  type: number,
  payload: Uint8Array,
): Buffer {
  return Buffer.concat([destination, source, Uint8Array.of(type >> 8, type & 0xff), payload]);
}
