import { Attributes } from '../netlink/attribute-reader.ts';
import { decodeMessages } from '../netlink/message.ts';
import { NFGENMSG, NFNL_SUBSYS_NFTABLES } from '../netlink/netfilter.ts';

export interface NftChange {
  /** As nft spells it: `ip`, `ip6`, `inet`, `arp`, `bridge`, `netdev`; a number in text where it has no name here. */
  readonly family: string;
  readonly table: string;
}

/** Of <linux/netfilter/nf_tables.h>; each of the other notifications is about something in a table. */
const NFT_MSG_NEWGEN = 15;
/** NFTA_TABLE_NAME, NFTA_CHAIN_TABLE, NFTA_RULE_TABLE, NFTA_SET_TABLE, …: the same number in all of them. */
const NFTA_TABLE = 1;

/** NFPROTO_* of <linux/netfilter.h>. */
const FAMILIES = new Map([
  [1, 'inet'],
  [2, 'ip'],
  [3, 'arp'],
  [5, 'netdev'],
  [7, 'bridge'],
  [10, 'ip6'],
]);

/**
 * The tables that a datagram of nftables notifications is about, without those changed by `own`. The message that
 * ends a transaction (NEWGEN) says no more than that there was one, and is left out.
 * @param own netlink port ids of the sockets whose changes do not count
 */
export function changesIn(datagram: Buffer, own: readonly number[]): NftChange[] {
  return decodeMessages(datagram).flatMap(({ type, port, payload }) => {
    if (type >> 8 !== NFNL_SUBSYS_NFTABLES || (type & 0xff) === NFT_MSG_NEWGEN || own.includes(port))
      return [];
    const table = new Attributes(payload, NFGENMSG).text(NFTA_TABLE);
    const family = payload.at(0) ?? 0;
    return table === undefined ? [] : [{ family: FAMILIES.get(family) ?? `${family}`, table }];
  });
}
