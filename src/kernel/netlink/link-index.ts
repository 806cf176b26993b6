import { constants } from 'node:os';
import { IFREQ } from '../ifreq.ts';
import { ioctl } from '../libc.ts';
import { NetlinkError } from './netlink-error.ts';

/** Number of <linux/sockios.h>. */
const SIOCGIFINDEX = 0x8933;

/**
 * Index of the link of a name in the namespace of a socket.
 * @param fd any socket
 * @returns undefined where there is none
 * @throws NetlinkError
 */
export function linkIndex(fd: number, name: string): number | undefined {
  const bytes = Buffer.from(name);
  // The kernel would look for what fits (IFNAMSIZ, with a zero at its end).
  if (bytes.length >= IFREQ.name || bytes.includes(0)) return undefined;
  const request = Buffer.alloc(IFREQ.length);
  request.set(bytes);
  const result = ioctl(fd, SIOCGIFINDEX, request);
  if (result === -constants.errno.ENODEV) return undefined;
  NetlinkError.check(result, `SIOCGIFINDEX ${name}`);
  return request.readInt32LE(IFREQ.value);
}
