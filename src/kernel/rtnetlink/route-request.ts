import { ROUTE_PROTOCOL } from '../../host-state/mark.ts';
import type { Route } from '../../host-state/types.ts';
import * as attribute from '../netlink/attribute-writer.ts';
import { AF_INET } from '../netlink/constants.ts';
import * as rt from './constants.ts';
import { addressBytes, cidrBytes, type Family } from './notation.ts';

export interface RouteFilter {
  /** RTPROT_*. */
  readonly protocol?: number;
  readonly linkIndex?: number;
  /** 254 is the main table. */
  readonly table?: number;
}

interface RouteHeader {
  readonly family: Family;
  readonly prefix?: number;
  readonly table?: number;
  readonly protocol?: number;
  readonly scope?: number;
  readonly type?: number;
}

/** struct rtmsg. Tables above 255 do not fit in here and go into RTA_TABLE. */
function routeHeader(fields: RouteHeader): Buffer {
  const { family, prefix = 0, table = 0, protocol = 0, scope = 0, type = 0 } = fields;
  return Buffer.concat([Uint8Array.of(family, prefix, 0, 0, table, protocol, scope, type), Buffer.alloc(4)]);
}

/** The payload of RTM_NEWROUTE. */
export function newRoute(linkIndex: number, route: Route): Buffer {
  const { family, bytes, prefix } = cidrBytes(route.destination);
  const parts = [
    routeHeader({
      family,
      prefix,
      table: rt.RT_TABLE_MAIN,
      protocol: ROUTE_PROTOCOL,
      scope: family === AF_INET ? rt.RT_SCOPE_LINK : rt.RT_SCOPE_UNIVERSE,
      type: rt.RTN_UNICAST,
    }),
    attribute.bytes(rt.RTA_DST, bytes),
    attribute.u32(rt.RTA_OIF, linkIndex),
  ];
  if (route.source !== undefined) {
    parts.push(attribute.bytes(rt.RTA_PREFSRC, addressBytes(route.source).bytes));
  }
  return Buffer.concat(parts);
}

/**
 * The payload of RTM_DELROUTE: whatever the source, but only a route of tsnet's own protocol number. Scope NOWHERE
 * is the kernel's wildcard.
 */
export function oldRoute(linkIndex: number, route: Route): Buffer {
  const { family, bytes, prefix } = cidrBytes(route.destination);
  return Buffer.concat([
    routeHeader({
      family,
      prefix,
      table: rt.RT_TABLE_MAIN,
      protocol: ROUTE_PROTOCOL,
      scope: rt.RT_SCOPE_NOWHERE,
      type: rt.RTN_UNICAST,
    }),
    attribute.bytes(rt.RTA_DST, bytes),
    attribute.u32(rt.RTA_OIF, linkIndex),
  ]);
}

/** The payload of a RTM_GETROUTE dump of one family. */
export function dumpRoutes(family: Family, filter: RouteFilter): Buffer {
  const { protocol = 0, linkIndex, table } = filter;
  const parts = [routeHeader({ family, protocol })];
  if (table !== undefined) parts.push(attribute.u32(rt.RTA_TABLE, table));
  if (linkIndex !== undefined) parts.push(attribute.u32(rt.RTA_OIF, linkIndex));
  return Buffer.concat(parts);
}
