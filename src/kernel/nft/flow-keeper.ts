import { Nft } from './nft.ts';

/** Beside the table of the rules, which has no owner, for that must outlive the daemon. */
export const KEEPER_TABLE = 'inet tsnet_flows';

/**
 * Without any rule that asks for them the kernel tracks no connections, and without any chain that translates it
 * translates nothing, tracked connections included. A `flush ruleset` by somebody else makes it so until tsnet's table
 * is back: a packet for a published port then finds its way to the host itself, which answers it with a reset.
 *
 * So both are kept by a table that a flush passes over, since it has an owner: the socket that made it (NFT_TABLE_F_OWNER,
 * nft_flush() in net/netfilter/nf_tables_api.c). One chain is enough, for the kernel adds the hooks of the others
 * itself (nf_nat_register_fn() in net/netfilter/nf_nat_core.c); it decides nothing. The table ends with the daemon.
 */
const COMMANDS = `
add table ${KEEPER_TABLE} { flags owner; comment "keeps connections while the rules are flushed"; }
add chain ${KEEPER_TABLE} keep { type nat hook prerouting priority -105; }
add rule ${KEEPER_TABLE} keep ct state new
`;

/**
 * Makes the table, with a context of libnftables of its own: that of the rules changes its socket at times.
 * @returns what ends it
 * @throws TsnetError FIREWALL before Linux 5.12 and nft 0.9.9, which know no owners
 */
export async function keepFlows(): Promise<{ close(): Promise<void> }> {
  const nft = Nft.open({ port: false });
  try {
    await nft.run(COMMANDS);
    return nft;
  } catch (error) {
    await nft.close();
    throw error;
  }
}
