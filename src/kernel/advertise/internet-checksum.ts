/** The ones' complement checksum of RFC 1071; 0 over data that holds a right checksum of itself. */
export function internetChecksum(data: Uint8Array): number {
  let sum = 0;
  data.forEach((byte, i) => {
    sum += i % 2 === 0 ? byte << 8 : byte;
  });
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
