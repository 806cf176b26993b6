import { bytes, nested, u8, u32 } from '../netlink/attribute-writer.ts';
import { AF_INET } from '../netlink/constants.ts';
import { nfHeader } from '../netlink/netfilter.ts';
import { addressBytes, type Family } from '../rtnetlink/notation.ts';
import * as ct from './constants.ts';
import type { Tuple } from './flow.ts';
import type { Pattern } from './match.ts';

/** The payload of a CT_GET dump of all connections of a family. */
export const dumpAll = (family: Family): Buffer => nfHeader(family);

/**
 * The payload of a CT_GET dump in which the kernel leaves out what does not fit a pattern; before Linux 5.8 it does not
 * know of that and answers with everything.
 * @returns undefined for patterns that the kernel cannot tell: it has the comparison of IPv6 addresses the wrong way
 *   round (ctnetlink_filter_match_tuple() from 5.8 to 6.18 at least), so that by them it finds all flows but the wanted
 */
export function dumpFitting(family: Family, pattern: Pattern): Buffer | undefined {
  const original = encode(family, pattern.original);
  const reply = encode(family, pattern.reply);
  if (original.flags === 0 && reply.flags === 0) return undefined;
  const filter = nested(
    ct.CTA_FILTER,
    u32(ct.CTA_FILTER_ORIG_FLAGS, original.flags),
    u32(ct.CTA_FILTER_REPLY_FLAGS, reply.flags),
  );
  const parts = [nfHeader(family), filter];
  if (original.flags) parts.push(nested(ct.CTA_TUPLE_ORIG, ...original.parts));
  if (reply.flags) parts.push(nested(ct.CTA_TUPLE_REPLY, ...reply.parts));
  return Buffer.concat(parts);
}

/**
 * The payload of a CT_DELETE with which the kernel deletes what fits a pattern, and nothing else; from Linux 6.8 on it
 * searches for that by itself, before it refuses with EINVAL (net/netfilter/nf_conntrack_netlink.c, ctnetlink_del_conntrack).
 * @returns undefined where the kernel cannot be told the whole pattern: it would delete too much
 */
export const flushFitting = (family: Family, pattern: Pattern): Buffer | undefined =>
  family === AF_INET && pattern.untranslated !== true ? dumpFitting(family, pattern) : undefined;

/** The attributes of a tuple, and the flags that name the fields among them. */
function encode(family: Family, tuple: Partial<Tuple>): { flags: number; parts: Buffer[] } {
  const { source, destination, protocol, sourcePort, destinationPort } = tuple;
  const ip: Buffer[] = [];
  const layer4: Buffer[] = [];
  let flags = 0;
  const put = (list: Buffer[], flag: number, attribute: Buffer) => {
    list.push(attribute);
    flags |= flag;
  };
  if (family === AF_INET) {
    if (source !== undefined) put(ip, ct.FILTER_IP_SRC, address(ct.CTA_IP_V4_SRC, source));
    if (destination !== undefined) put(ip, ct.FILTER_IP_DST, address(ct.CTA_IP_V4_DST, destination));
  }
  if (protocol !== undefined) put(layer4, ct.FILTER_PROTO_NUM, u8(ct.CTA_PROTO_NUM, protocol));
  if (sourcePort !== undefined)
    put(layer4, ct.FILTER_PROTO_SRC_PORT, port(ct.CTA_PROTO_SRC_PORT, sourcePort));
  if (destinationPort !== undefined)
    put(layer4, ct.FILTER_PROTO_DST_PORT, port(ct.CTA_PROTO_DST_PORT, destinationPort));
  const parts: Buffer[] = [];
  if (ip.length > 0) parts.push(nested(ct.CTA_TUPLE_IP, ...ip));
  if (layer4.length > 0) parts.push(nested(ct.CTA_TUPLE_PROTO, ...layer4));
  return { flags, parts };
}

const port = (type: number, value: number): Buffer => bytes(type, Uint8Array.of(value >> 8, value & 0xff));

const address = (type: number, text: string): Buffer => bytes(type, addressBytes(text).bytes);
