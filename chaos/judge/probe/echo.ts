import { AF_INET6 } from './libc.ts';

const REQUEST = { 4: 8, 6: 128 } as const;
const REPLY = { 4: 0, 6: 129 } as const;

/** An echo request (RFC 792, RFC 4443). @param sequence tells one from another; the kernel adds the checksum of IPv6 itself */
export function echoRequest(domain: number, id: number, sequence: number): Buffer {
  const packet = Buffer.alloc(16);
  packet.writeUInt8(domain === AF_INET6 ? REQUEST[6] : REQUEST[4], 0);
  packet.writeUInt16BE(id, 4);
  packet.writeUInt16BE(sequence, 6);
  if (domain !== AF_INET6) packet.writeUInt16BE(checksum(packet), 2);
  return packet;
}

/** The sequence of an answer to one's own requests; undefined for anything else that a raw socket hears. */
export function echoReply(domain: number, id: number, packet: Buffer): number | undefined {
  // Sockets of IPv4 hear the header of the packet as well.
  const start = domain === AF_INET6 ? 0 : ((packet[0] ?? 0) & 0x0f) * 4;
  if (packet.length < start + 8) return undefined;
  const isReply = packet[start] === (domain === AF_INET6 ? REPLY[6] : REPLY[4]);
  return isReply && packet.readUInt16BE(start + 4) === id ? packet.readUInt16BE(start + 6) : undefined;
}

/** RFC 1071. */
function checksum(packet: Buffer): number {
  let sum = 0;
  for (let at = 0; at < packet.length; at += 2) sum += packet.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}
