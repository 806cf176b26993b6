import ipaddr from 'ipaddr.js';
import type { LinkView } from './types.ts';

/** A row of `ip -j -d address`. */
interface Row {
  ifname: string;
  ifindex: number;
  address?: string;
  ifalias?: string;
  flags: string[];
  master?: string;
  link?: string;
  linkinfo?: {
    info_kind?: string;
    info_data?: { mode?: string };
    info_slave_data?: { isolated?: boolean };
  };
  addr_info?: {
    local: string;
    prefixlen: number;
    scope: string;
    tentative?: boolean;
    dadfailed?: boolean;
  }[];
}

/** @param rows what `ip -j -d address` printed */
export const readLinks = (rows: unknown): LinkView[] =>
  // An older ip prints an empty object for what it passes over.
  (rows as Partial<Row>[]).filter((row): row is Row => row.ifname !== undefined).map(readLink);

function readLink(row: Row): LinkView {
  return {
    name: row.ifname,
    index: row.ifindex,
    mac: row.address ?? '',
    alias: row.ifalias ?? '',
    kind: row.linkinfo?.info_kind ?? '',
    up: row.flags.includes('UP'),
    master: row.master ?? '',
    lower: row.link ?? '',
    macvlanMode: row.linkinfo?.info_data?.mode ?? '',
    isolated: row.linkinfo?.info_slave_data?.isolated ?? false,
    addresses: (row.addr_info ?? [])
      .filter(({ local }) => local !== undefined)
      .map(({ local, prefixlen, scope, tentative, dadfailed }) => ({
        address: `${ipaddr.parse(local)}/${prefixlen}`,
        scope,
        unusable: tentative === true || dadfailed === true,
      })),
  };
}
