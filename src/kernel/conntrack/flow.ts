import { Attributes } from '../netlink/attribute-reader.ts';
import { bytes, nested } from '../netlink/attribute-writer.ts';
import { NFGENMSG } from '../netlink/netfilter.ts';
import { addressText } from '../rtnetlink/notation.ts';
import * as ct from './constants.ts';

/** One direction of a tracked connection. */
export interface Tuple {
  /** Bare address, canonical text. */
  readonly source: string | undefined;
  readonly destination: string | undefined;
  /** IPPROTO_*. */
  readonly protocol: number | undefined;
  /** Undefined for protocols without ports. */
  readonly sourcePort: number | undefined;
  readonly destinationPort: number | undefined;
}

export interface Flow {
  readonly original: Tuple;
  readonly reply: Tuple;
}

/** How many connections there are, by the answer to CT_GET_STATS. */
export function decodeCount(payload: Buffer): number | undefined {
  const value = new Attributes(payload, NFGENMSG).bytes(ct.CTA_STATS_GLOBAL_ENTRIES);
  return value?.length === 4 ? value.readUInt32BE() : undefined;
}

/** Reads a message of a CT_GET dump; undefined for malformed ones. */
export function decodeFlow(payload: Buffer): Flow | undefined {
  if (payload.length < NFGENMSG) return undefined;
  const attributes = new Attributes(payload, NFGENMSG);
  const [original, reply] = [attributes.nested(ct.CTA_TUPLE_ORIG), attributes.nested(ct.CTA_TUPLE_REPLY)];
  return original && reply && { original: decodeTuple(original), reply: decodeTuple(reply) };
}

function decodeTuple(attributes: Attributes): Tuple {
  const ip = attributes.nested(ct.CTA_TUPLE_IP);
  const layer4 = attributes.nested(ct.CTA_TUPLE_PROTO);
  return {
    source: addressText(ip?.bytes(ct.CTA_IP_V4_SRC) ?? ip?.bytes(ct.CTA_IP_V6_SRC)),
    destination: addressText(ip?.bytes(ct.CTA_IP_V4_DST) ?? ip?.bytes(ct.CTA_IP_V6_DST)),
    protocol: layer4?.u8(ct.CTA_PROTO_NUM),
    sourcePort: port(layer4?.bytes(ct.CTA_PROTO_SRC_PORT)),
    destinationPort: port(layer4?.bytes(ct.CTA_PROTO_DST_PORT)),
  };
}

/** Ports come in network byte order. */
const port = (value: Buffer | undefined): number | undefined =>
  value?.length === 2 ? value.readUInt16BE() : undefined;

/**
 * The payload of CT_DELETE for a flow of a dump: by its first tuple, and by its id, so that a connection which has since
 * begun with the same tuple stays.
 * @param dumped the payload of the dump's message
 */
export function deleteFlow(dumped: Buffer): Buffer {
  const attributes = new Attributes(dumped, NFGENMSG);
  const parts = [dumped.subarray(0, NFGENMSG)];
  const tuple = attributes.bytes(ct.CTA_TUPLE_ORIG);
  if (tuple) parts.push(nested(ct.CTA_TUPLE_ORIG, tuple));
  for (const type of [ct.CTA_ID, ct.CTA_ZONE]) {
    const value = attributes.bytes(type);
    if (value) parts.push(bytes(type, value));
  }
  return Buffer.concat(parts);
}
