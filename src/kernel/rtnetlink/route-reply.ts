import { present } from '../../present.ts';
import type { RouteInfo } from '../link-info.ts';
import { Attributes } from '../netlink/attribute-reader.ts';
import { AF_INET, AF_INET6 } from '../netlink/constants.ts';
import * as rt from './constants.ts';
import { addressText } from './notation.ts';

const HEADER = 12;

/**
 * Reads a RTM_NEWROUTE or RTM_DELROUTE payload.
 * @returns one entry, or one for each next hop of a multipath route; none for malformed ones, other families, cache
 *   entries, and the local, broadcast, anycast and multicast routes that the kernel derives from addresses
 */
export function decodeRoutes(payload: Buffer): RouteInfo[] {
  if (payload.length < HEADER) return [];
  const family = payload.readUInt8(0);
  const type = payload.readUInt8(7);
  if (family !== AF_INET && family !== AF_INET6) return [];
  if (type >= rt.RTN_LOCAL && type <= rt.RTN_MULTICAST) return [];
  if (payload.readUInt32LE(8) & rt.RTM_F_CLONED) return [];
  const attributes = new Attributes(payload, HEADER);
  const network = addressText(attributes.bytes(rt.RTA_DST)) ?? (family === AF_INET ? '0.0.0.0' : '::');
  const common = {
    destination: `${network}/${payload.readUInt8(1)}`,
    table: attributes.u32(rt.RTA_TABLE) ?? payload.readUInt8(4),
    protocol: payload.readUInt8(5),
    scope: payload.readUInt8(6),
    ...present({ source: addressText(attributes.bytes(rt.RTA_PREFSRC)) }),
  };
  const hops = nextHops(attributes.bytes(rt.RTA_MULTIPATH));
  if (hops.length === 0) hops.push({ linkIndex: attributes.u32(rt.RTA_OIF), attributes });
  return hops.map(hop => ({
    ...common,
    ...present({ linkIndex: hop.linkIndex, gateway: gatewayOf(hop.attributes) }),
  }));
}

interface NextHop {
  readonly linkIndex: number | undefined;
  readonly attributes: Attributes;
}

/** The struct rtnexthop entries of RTA_MULTIPATH: length, flags, hops, link index, attributes. */
function nextHops(buffer: Buffer | undefined): NextHop[] {
  const hops: NextHop[] = [];
  let offset = 0;
  while (buffer && offset + 8 <= buffer.length) {
    const length = buffer.readUInt16LE(offset);
    if (length < 8 || offset + length > buffer.length) break;
    const attributes = new Attributes(buffer.subarray(offset, offset + length), 8);
    hops.push({ linkIndex: buffer.readInt32LE(offset + 4), attributes });
    offset += Math.ceil(length / 4) * 4;
  }
  return hops;
}

/** RTA_GATEWAY, or RTA_VIA (a 2-byte family first) where an IPv4 route has an IPv6 next hop. */
const gatewayOf = (attributes: Attributes): string | undefined =>
  addressText(attributes.bytes(rt.RTA_GATEWAY) ?? attributes.bytes(rt.RTA_VIA)?.subarray(2));
