import { ROUTE_PROTOCOL } from '../../host-state/mark.ts';
import type { Neighbour } from '../../host-state/types.ts';
import { present } from '../../present.ts';
import type { NeighbourInfo } from '../link-info.ts';
import { Attributes } from '../netlink/attribute-reader.ts';
import * as attribute from '../netlink/attribute-writer.ts';
import { AF_INET, AF_INET6 } from '../netlink/constants.ts';
import * as rt from './constants.ts';
import { addressBytes, addressText, macBytes, macText } from './notation.ts';

const HEADER = 12;

/** struct ndmsg. */
function neighbourHeader(family: number, linkIndex: number, state: number, flags: number): Buffer {
  const header = Buffer.alloc(HEADER);
  header.writeUInt8(family, 0);
  header.writeInt32LE(linkIndex, 4);
  header.writeUInt16LE(state, 8);
  header.writeUInt8(flags, 10);
  return header;
}

/** The payload of RTM_NEWNEIGH: a permanent entry or a proxy one, labelled with tsnet's protocol number. */
export function newNeighbour(linkIndex: number, neighbour: Neighbour): Buffer {
  const parts = [oneNeighbour(linkIndex, neighbour), attribute.u8(rt.NDA_PROTOCOL, ROUTE_PROTOCOL)];
  if (neighbour.entry !== 'proxy') {
    parts.push(attribute.bytes(rt.NDA_LLADDR, macBytes(neighbour.entry.mac)));
  }
  return Buffer.concat(parts);
}

/** The payload of RTM_DELNEIGH. */
export function oneNeighbour(linkIndex: number, { address, entry }: Neighbour): Buffer {
  const { family, bytes } = addressBytes(address);
  const flags = entry === 'proxy' ? rt.NTF_PROXY : 0;
  return Buffer.concat([
    neighbourHeader(family, linkIndex, rt.NUD_PERMANENT, flags),
    attribute.bytes(rt.NDA_DST, bytes),
  ]);
}

/** The payload of a RTM_GETNEIGH dump: of the neighbour tables, or of the proxy entries. */
export function dumpNeighbours(proxy: boolean, linkIndex: number | undefined): Buffer {
  const header = neighbourHeader(0, 0, 0, proxy ? rt.NTF_PROXY : 0);
  return linkIndex === undefined ? header : Buffer.concat([header, attribute.u32(rt.NDA_IFINDEX, linkIndex)]);
}

/**
 * Reads a RTM_NEWNEIGH or RTM_DELNEIGH payload.
 * @returns undefined for malformed ones and for other families: AF_BRIDGE entries are of a forwarding database
 */
export function decodeNeighbour(payload: Buffer): NeighbourInfo | undefined {
  if (payload.length < HEADER) return undefined;
  const family = payload.readUInt8(0);
  const attributes = new Attributes(payload, HEADER);
  const address = addressText(attributes.bytes(rt.NDA_DST));
  if ((family !== AF_INET && family !== AF_INET6) || address === undefined) return undefined;
  return {
    linkIndex: payload.readInt32LE(4),
    address,
    state: payload.readUInt16LE(8),
    proxy: (payload.readUInt8(10) & rt.NTF_PROXY) !== 0,
    ...present({ mac: macText(attributes.bytes(rt.NDA_LLADDR)) }),
  };
}
