import type { AddressInfo, LinkInfo, NeighbourInfo, RouteInfo } from './link-info.ts';
import { NLMSG_OVERRUN } from './netlink/constants.ts';
import type { Message } from './netlink/message.ts';
import { decodeAddress } from './rtnetlink/address.ts';
import * as rt from './rtnetlink/constants.ts';
import { decodeLink } from './rtnetlink/link-reply.ts';
import { decodeNeighbour } from './rtnetlink/neighbour.ts';
import { decodeRoutes } from './rtnetlink/route-reply.ts';

/** `set` is a new object or a changed one. */
type Change = 'set' | 'removed';

export interface LinkEvent {
  readonly kind: 'link';
  readonly change: Change;
  readonly link: LinkInfo;
}

export interface AddressEvent {
  readonly kind: 'address';
  readonly change: Change;
  readonly address: AddressInfo;
}

/** The kernel announces no removal of IPv4 routes that go with their link or with its going down. */
export interface RouteEvent {
  readonly kind: 'route';
  readonly change: Change;
  readonly route: RouteInfo;
}

export interface NeighbourEvent {
  readonly kind: 'neighbour';
  readonly change: Change;
  readonly neighbour: NeighbourInfo;
}

/**
 * A namespace is gone that this one had a number for, as it has for every one that a link was moved to or has its other end in.
 * Of links that were in it the kernel says nothing here.
 */
export interface NamespaceEvent {
  readonly kind: 'namespace';
  readonly change: 'removed';
}

export type KernelEvent =
  | LinkEvent
  | AddressEvent
  | RouteEvent
  | NeighbourEvent
  | NamespaceEvent
  /** Events were lost: what is known of the kernel may be out of date. */
  | { readonly kind: 'overrun' };

/** The events that a multicast message stands for; none for messages of other families or malformed ones. */
export function decodeEvent({ type, payload }: Message): KernelEvent[] {
  switch (type) {
    case rt.RTM_NEWLINK:
    case rt.RTM_DELLINK: {
      const link = decodeLink(payload);
      return link ? [{ kind: 'link', change: type === rt.RTM_NEWLINK ? 'set' : 'removed', link }] : [];
    }
    case rt.RTM_NEWADDR:
    case rt.RTM_DELADDR: {
      const address = decodeAddress(payload);
      return address
        ? [{ kind: 'address', change: type === rt.RTM_NEWADDR ? 'set' : 'removed', address }]
        : [];
    }
    case rt.RTM_NEWROUTE:
    case rt.RTM_DELROUTE: {
      const change = type === rt.RTM_NEWROUTE ? 'set' : 'removed';
      return decodeRoutes(payload).map(route => ({ kind: 'route', change, route }));
    }
    case rt.RTM_NEWNEIGH:
    case rt.RTM_DELNEIGH: {
      const neighbour = decodeNeighbour(payload);
      const change = type === rt.RTM_NEWNEIGH ? 'set' : 'removed';
      return neighbour ? [{ kind: 'neighbour', change, neighbour }] : [];
    }
    case rt.RTM_DELNSID:
      return [{ kind: 'namespace', change: 'removed' }];
    case NLMSG_OVERRUN:
      return [{ kind: 'overrun' }];
    default:
      return [];
  }
}
