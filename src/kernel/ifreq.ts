/** struct ifreq of <net/if.h>: its length, the room for the name that it begins with, and where what follows that is. */
export const IFREQ = { length: 40, name: 16, value: 16 };
