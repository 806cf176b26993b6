import koffi from '../koffi.ts';

const nameToIndex = koffi.load(null).func('unsigned int if_nametoindex(const char *name)');

/**
 * Index of the link of a name in the calling thread's network namespace. It waits for nobody: unlike rtnetlink the ioctl behind it does
 * without the RTNL lock (net/core/dev_ioctl.c, SIOCGIFINDEX).
 * @returns undefined where there is none
 */
export const linkIndex = (name: string): number | undefined => nameToIndex(name) || undefined;
