/** What the subsystems behind NETLINK_NETFILTER share, of <linux/netfilter/nfnetlink.h>: the high byte of a message's type says which it is. */
export const NFNL_SUBSYS_NFTABLES = 10;
/** Size of struct nfgenmsg: family, version, resource id. */
export const NFGENMSG = 4;

/** struct nfgenmsg. @param family AF_* or NFPROTO_* */
export const nfHeader = (family: number): Buffer => Buffer.from([family, 0, 0, 0]);
