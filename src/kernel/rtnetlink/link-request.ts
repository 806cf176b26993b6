import type { Link } from '../../host-state/types.ts';
import { present } from '../../present.ts';
import * as attribute from '../netlink/attribute-writer.ts';
import { AF_INET6, AF_UNSPEC } from '../netlink/constants.ts';
import * as rt from './constants.ts';
import { MACVLAN_MODES } from './link-reply.ts';
import { macBytes } from './notation.ts';
import { UNFINISHED_GROUP } from './unfinished.ts';

/** The links that a new link names, by index. */
export interface RelatedLinks {
  /** A veth's bridge. */
  readonly master?: number;
  /** A macvlan's parent. */
  readonly parent?: number;
  /** Descriptor of the namespace that a link's `place` names. */
  readonly place?: number;
}

/** What can be changed of an existing link; what is absent stays. */
export interface LinkSettings {
  readonly up?: boolean;
  /** A new name, of a link that is down and is told by its index. */
  readonly name?: string;
  /** Bytes. */
  readonly mtu?: number;
  readonly mac?: string;
  /** Index of the bridge to be a port of; 0 takes the link out of its bridge. */
  readonly master?: number;
  /** At most 255 bytes; empty removes it. */
  readonly alias?: string;
  /** Only for a port of a bridge. */
  readonly isolated?: boolean;
  /** Only for a port of a bridge. */
  readonly hairpin?: boolean;
  readonly group?: number;
  /** IN6_ADDR_GEN_MODE_NONE; must come before the link is up. */
  readonly noLinkLocal?: true;
}

/** struct ifinfomsg; `up` undefined leaves the flag as it is, index 0 leaves the link to be named by an attribute. */
export function linkHeader(index: number, up?: boolean): Buffer {
  const header = Buffer.alloc(16);
  header.writeUInt8(AF_UNSPEC, 0);
  header.writeInt32LE(index, 4);
  if (up !== undefined) {
    header.writeUInt32LE(up ? rt.IFF_UP : 0, 8);
    header.writeUInt32LE(rt.IFF_UP, 12);
  }
  return header;
}

/** The payload of RTM_NEWLINK that makes a link, down and marked as unfinished. */
export function newLink(link: Link, related: RelatedLinks): Buffer {
  const parts = [
    linkHeader(0),
    ...identity(link.name, link.mac, link.kind === 'bridge' ? undefined : link.mtu),
    attribute.u32(rt.IFLA_GROUP, UNFINISHED_GROUP),
    attribute.nested(rt.IFLA_LINKINFO, ...linkInfo(link, related.place)),
  ];
  if (link.kind === 'macvlan') parts.push(...namespace(related.place));
  if (related.master) parts.push(attribute.u32(rt.IFLA_MASTER, related.master));
  if (related.parent) parts.push(attribute.u32(rt.IFLA_LINK, related.parent));
  return Buffer.concat(parts);
}

/** The settings that turn a new link into the desired one, but for `noLinkLocal`, which goes ahead of them. */
export function finishingSettings(link: Link): LinkSettings {
  return {
    alias: link.alias,
    group: 0,
    up: link.up,
    // Only a change made to the existing bridge keeps it from following the lowest MTU of its ports.
    ...(link.kind === 'bridge' && link.mtu !== undefined ? { mtu: link.mtu } : {}),
    ...(link.kind === 'veth' ? portSettings(link) : {}),
  };
}

/** What of some settings concerns the port of a bridge. */
export const portSettings = ({
  isolated,
  hairpin,
}: Pick<LinkSettings, 'isolated' | 'hairpin'>): Pick<LinkSettings, 'isolated' | 'hairpin'> =>
  present({ isolated, hairpin });

/**
 * The payload of RTM_NEWLINK (without NLM_F_CREATE) that changes a link.
 * @param which index or name
 */
export function changeLink(which: number | string, settings: LinkSettings): Buffer {
  const { up, mtu, mac, master, alias, isolated, hairpin, group, noLinkLocal } = settings;
  const parts = [linkHeader(typeof which === 'number' ? which : 0, up)];
  const name = typeof which === 'string' ? which : settings.name;
  if (name !== undefined) parts.push(attribute.text(rt.IFLA_IFNAME, name));
  if (mtu !== undefined) parts.push(attribute.u32(rt.IFLA_MTU, mtu));
  if (mac !== undefined) parts.push(attribute.bytes(rt.IFLA_ADDRESS, macBytes(mac)));
  if (master !== undefined) parts.push(attribute.u32(rt.IFLA_MASTER, master));
  // The kernel wants no NUL here: it takes the attribute's length for the alias's.
  if (alias !== undefined) parts.push(attribute.bytes(rt.IFLA_IFALIAS, Buffer.from(alias || '\0')));
  if (group !== undefined) parts.push(attribute.u32(rt.IFLA_GROUP, group));
  if (noLinkLocal) parts.push(addressGeneration());
  const port: Buffer[] = [];
  if (isolated !== undefined) port.push(attribute.u8(rt.IFLA_BRPORT_ISOLATED, isolated ? 1 : 0));
  if (hairpin !== undefined) port.push(attribute.u8(rt.IFLA_BRPORT_MODE, hairpin ? 1 : 0));
  if (port.length > 0) {
    parts.push(
      attribute.nested(
        rt.IFLA_LINKINFO,
        attribute.text(rt.IFLA_INFO_SLAVE_KIND, 'bridge'),
        attribute.nested(rt.IFLA_INFO_SLAVE_DATA, ...port),
      ),
    );
  }
  return Buffer.concat(parts);
}

/** The payload of RTM_GETLINK for one link, or with neither name nor index for a dump. */
export function getLink(which: { name?: string; index?: number } = {}): Buffer {
  const parts = [linkHeader(which.index ?? 0), attribute.u32(rt.IFLA_EXT_MASK, rt.RTEXT_FILTER_SKIP_STATS)];
  if (which.name !== undefined) parts.push(attribute.text(rt.IFLA_IFNAME, which.name));
  return Buffer.concat(parts);
}

function linkInfo(link: Link, place: number | undefined): Buffer[] {
  const kind = attribute.text(rt.IFLA_INFO_KIND, link.kind);
  switch (link.kind) {
    case 'veth': {
      const { name, mac, mtu } = link.peer;
      const far = [...identity(name, mac, mtu), ...namespace(place)];
      const peer = attribute.nested(rt.VETH_INFO_PEER, linkHeader(0), ...far);
      return [kind, attribute.nested(rt.IFLA_INFO_DATA, peer)];
    }
    case 'macvlan': {
      const mode = attribute.u32(rt.IFLA_MACVLAN_MODE, MACVLAN_MODES[link.macvlanMode]);
      return [kind, attribute.nested(rt.IFLA_INFO_DATA, mode)];
    }
    default:
      return [kind];
  }
}

const namespace = (descriptor: number | undefined): Buffer[] =>
  descriptor === undefined ? [] : [attribute.u32(rt.IFLA_NET_NS_FD, descriptor)];

function identity(name: string, mac: string | undefined, mtu: number | undefined): Buffer[] {
  const parts = [attribute.text(rt.IFLA_IFNAME, name)];
  if (mac !== undefined) parts.push(attribute.bytes(rt.IFLA_ADDRESS, macBytes(mac)));
  if (mtu !== undefined) parts.push(attribute.u32(rt.IFLA_MTU, mtu));
  return parts;
}

function addressGeneration(): Buffer {
  const mode = attribute.u8(rt.IFLA_INET6_ADDR_GEN_MODE, rt.IN6_ADDR_GEN_MODE_NONE);
  return attribute.nested(rt.IFLA_AF_SPEC, attribute.nested(AF_INET6, mode));
}
