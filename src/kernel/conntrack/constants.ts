/** Numbers of <linux/netfilter/nfnetlink.h> and <linux/netfilter/nfnetlink_conntrack.h>. */
const NFNL_SUBSYS_CTNETLINK = 1;
export const CT_GET = (NFNL_SUBSYS_CTNETLINK << 8) | 1;
export const CT_DELETE = (NFNL_SUBSYS_CTNETLINK << 8) | 2;
export const CT_GET_STATS = (NFNL_SUBSYS_CTNETLINK << 8) | 5;

export const CTA_TUPLE_ORIG = 1;
export const CTA_TUPLE_REPLY = 2;
export const CTA_ID = 12;
export const CTA_ZONE = 18;
export const CTA_FILTER = 25;
export const CTA_FILTER_ORIG_FLAGS = 1;
export const CTA_FILTER_REPLY_FLAGS = 2;
export const CTA_STATS_GLOBAL_ENTRIES = 1;

export const CTA_TUPLE_IP = 1;
export const CTA_TUPLE_PROTO = 2;
export const CTA_IP_V4_SRC = 1;
export const CTA_IP_V4_DST = 2;
export const CTA_IP_V6_SRC = 3;
export const CTA_IP_V6_DST = 4;
export const CTA_PROTO_NUM = 1;
export const CTA_PROTO_SRC_PORT = 2;
export const CTA_PROTO_DST_PORT = 3;

/** The bits of CTA_FILTER_*_FLAGS, of net/netfilter/nf_internals.h in the kernel's source: fields to compare. */
export const FILTER_IP_SRC = 1 << 0;
export const FILTER_IP_DST = 1 << 1;
export const FILTER_PROTO_NUM = 1 << 3;
export const FILTER_PROTO_SRC_PORT = 1 << 4;
export const FILTER_PROTO_DST_PORT = 1 << 5;
