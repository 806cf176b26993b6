import { ADDRESS_PROTOCOL } from '../../host-state/mark.ts';
import type { Address } from '../../host-state/types.ts';
import type { AddressInfo } from '../link-info.ts';
import { Attributes } from '../netlink/attribute-reader.ts';
import * as attribute from '../netlink/attribute-writer.ts';
import { AF_INET, AF_INET6 } from '../netlink/constants.ts';
import * as rt from './constants.ts';
import { addressText, cidrBytes } from './notation.ts';

const HEADER = 8;

function addressHeader(family: number, prefix: number, linkIndex: number): Buffer {
  const header = Buffer.alloc(HEADER);
  header.writeUInt8(family, 0);
  header.writeUInt8(prefix, 1);
  header.writeUInt32LE(linkIndex, 4);
  return header;
}

/**
 * The payload of RTM_NEWADDR. IFA_PROTO is ignored by kernels before 5.18.
 * @param options.broadcast with the subnet's broadcast address, which the kernel does not set by itself
 */
export function newAddress(
  linkIndex: number,
  address: Address,
  options: { readonly broadcast?: boolean } = {},
): Buffer {
  const { family, bytes, prefix } = cidrBytes(address.address);
  let flags = 0;
  // Duplicate address detection would leave the address unusable for a second; tsnet's own allocation is unique.
  if (family === AF_INET6) flags |= rt.IFA_F_NODAD;
  if (address.noPrefixRoute) flags |= rt.IFA_F_NOPREFIXROUTE;
  return Buffer.concat([
    oneAddress(linkIndex, address),
    attribute.u32(rt.IFA_FLAGS, flags),
    attribute.u8(rt.IFA_PROTO, ADDRESS_PROTOCOL),
    // Subnets of one or two addresses have none (RFC 3021).
    ...(options.broadcast === true && family === AF_INET && prefix < 31
      ? [attribute.bytes(rt.IFA_BROADCAST, broadcastOf(bytes, prefix))]
      : []),
  ]);
}

function broadcastOf(address: Uint8Array, prefix: number): Buffer {
  const broadcast = Buffer.from(address);
  broadcast.writeUInt32BE((broadcast.readUInt32BE(0) | (0xffffffff >>> prefix)) >>> 0, 0);
  return broadcast;
}

/** The payload of RTM_DELADDR. */
export function oneAddress(linkIndex: number, { address }: Address): Buffer {
  const { family, bytes, prefix } = cidrBytes(address);
  return Buffer.concat([
    addressHeader(family, prefix, linkIndex),
    attribute.bytes(rt.IFA_LOCAL, bytes),
    attribute.bytes(rt.IFA_ADDRESS, bytes),
  ]);
}

/** The payload of a RTM_GETADDR dump; link 0 is all. */
export const dumpAddresses = (linkIndex: number): Buffer => addressHeader(0, 0, linkIndex);

/** Reads a RTM_NEWADDR or RTM_DELADDR payload; undefined for malformed ones and other families. */
export function decodeAddress(payload: Buffer): AddressInfo | undefined {
  if (payload.length < HEADER) return undefined;
  const attributes = new Attributes(payload, HEADER);
  // IFA_ADDRESS is the far end on point-to-point links; IPv6 has IFA_LOCAL only there.
  const address = addressText(attributes.bytes(rt.IFA_LOCAL) ?? attributes.bytes(rt.IFA_ADDRESS));
  if (address === undefined) return undefined;
  return {
    linkIndex: payload.readUInt32LE(4),
    address: `${address}/${payload.readUInt8(1)}`,
    scope: payload.readUInt8(3),
    flags: attributes.u32(rt.IFA_FLAGS) ?? payload.readUInt8(2),
    protocol: attributes.u8(rt.IFA_PROTO) ?? 0,
  };
}
