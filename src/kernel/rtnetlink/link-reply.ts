import type { MacvlanMode } from '../../host-state/types.ts';
import { present } from '../../present.ts';
import type { LinkInfo } from '../link-info.ts';
import { Attributes } from '../netlink/attribute-reader.ts';
import { AF_UNSPEC } from '../netlink/constants.ts';
import * as rt from './constants.ts';
import { macText } from './notation.ts';
import { UNFINISHED_ALIAS, UNFINISHED_GROUP } from './unfinished.ts';

const HEADER = 16;

/** IFLA_MACVLAN_MODE values; `source` (16) is none that tsnet makes and stays unnamed. */
export const MACVLAN_MODES: Readonly<Record<MacvlanMode, number>> = {
  private: 1,
  vepa: 2,
  bridge: 4,
  passthru: 8,
};

/**
 * Reads a RTM_NEWLINK or RTM_DELLINK payload (struct ifinfomsg and attributes).
 * @returns undefined for malformed ones and for those of AF_BRIDGE, which tell of a bridge port, not of a link: a
 *   RTM_DELLINK of that family says that the link has left its bridge
 */
export function decodeLink(payload: Buffer): LinkInfo | undefined {
  if (payload.length < HEADER || payload.readUInt8(0) !== AF_UNSPEC) return undefined;
  const attributes = new Attributes(payload, HEADER);
  const name = attributes.text(rt.IFLA_IFNAME);
  if (name === undefined) return undefined;
  const flags = payload.readUInt32LE(8);
  const info = attributes.nested(rt.IFLA_LINKINFO);
  return {
    index: payload.readInt32LE(4),
    name,
    mtu: attributes.u32(rt.IFLA_MTU) ?? 0,
    up: (flags & rt.IFF_UP) !== 0,
    carrier: (flags & rt.IFF_LOWER_UP) !== 0,
    loopback: (flags & rt.IFF_LOOPBACK) !== 0,
    ...present({
      kind: info?.text(rt.IFLA_INFO_KIND),
      alias: aliasOf(attributes),
      mac:
        payload.readUInt16LE(2) === rt.ARPHRD_ETHER ? macText(attributes.bytes(rt.IFLA_ADDRESS)) : undefined,
      master: attributes.u32(rt.IFLA_MASTER) || undefined,
      // 0 stands for "none" here.
      parent: attributes.u32(rt.IFLA_LINK) || undefined,
      parentNetnsId: attributes.u32(rt.IFLA_LINK_NETNSID),
      macvlanMode: macvlanMode(info),
      isolated: portSetting(info, rt.IFLA_BRPORT_ISOLATED, 1),
      hairpin: portSetting(info, rt.IFLA_BRPORT_MODE, 1),
      forwarding: portSetting(info, rt.IFLA_BRPORT_STATE, rt.BR_STATE_FORWARDING),
    }),
  };
}

function aliasOf(attributes: Attributes): string | undefined {
  const alias = attributes.text(rt.IFLA_IFALIAS);
  if (alias === undefined && attributes.u32(rt.IFLA_GROUP) === UNFINISHED_GROUP) return UNFINISHED_ALIAS;
  return alias;
}

function macvlanMode(info: Attributes | undefined): MacvlanMode | undefined {
  if (info?.text(rt.IFLA_INFO_KIND) !== 'macvlan') return undefined;
  const value = info.nested(rt.IFLA_INFO_DATA)?.u32(rt.IFLA_MACVLAN_MODE);
  return (Object.keys(MACVLAN_MODES) as MacvlanMode[]).find(mode => MACVLAN_MODES[mode] === value);
}

/** Whether a setting of a bridge port has a value; undefined for what is no port. */
function portSetting(info: Attributes | undefined, type: number, wanted: number): boolean | undefined {
  if (info?.text(rt.IFLA_INFO_SLAVE_KIND) !== 'bridge') return undefined;
  const value = info.nested(rt.IFLA_INFO_SLAVE_DATA)?.u8(type);
  return value === undefined ? undefined : value === wanted;
}
