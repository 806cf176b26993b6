import { formatAddress, parseAddress } from '../addresses.ts';
import { TsnetError } from '../errors.ts';
import { isLinkName } from '../host-state/names.ts';
import type { FirewallElement, FirewallSet } from '../host-state/types.ts';

type Field = 'ifname' | 'ipv4_addr' | 'ipv6_addr';

/** The fields of the key of each set, as nft names their types. */
const FIELDS: Readonly<Record<FirewallSet, readonly Field[]>> = {
  // tsnet's own bridges. Everything on them is a container of tsnet.
  bridges: ['ifname'],
  // Every bridge, own or foreign, with itself: nft cannot compare the two interfaces of a packet.
  same_bridge: ['ifname', 'ifname'],
  // The bridges of the engine's own networks.
  engine_bridges: ['ifname'],
  no_icc: ['ifname'],
  internal: ['ifname'],
  masquerade4: ['ifname'],
  masquerade6: ['ifname'],
  // tsnet's containers on foreign bridges, where others live too.
  guest4: ['ifname', 'ipv4_addr'],
  guest6: ['ifname', 'ipv6_addr'],
  guest_masquerade4: ['ifname', 'ipv4_addr'],
  guest_masquerade6: ['ifname', 'ipv6_addr'],
};

export const SETS = Object.keys(FIELDS) as readonly FirewallSet[];

export const isFirewallSet = (name: string): name is FirewallSet => Object.hasOwn(FIELDS, name);

/** The nft type of a set's key, as `type …` in its declaration. */
export const setType = (set: FirewallSet): string => FIELDS[set].join(' . ');

/** An element's key in nft's syntax, interface names quoted: `"br0" . 198.18.0.2`. @throws as checkKey() */
export const renderKey = ({ set, key }: FirewallElement): string =>
  checkKey(set, key)
    .map((part, index) => (FIELDS[set][index] === 'ifname' ? `"${part}"` : part))
    .join(' . ');

/**
 * The key with its addresses in canonical text.
 * @throws TsnetError OPTION_INVALID for an interface name that isLinkName refuses, ADDRESS_INVALID for what is no
 * address of the set's family, INTERNAL for a wrong number of fields
 */
export function checkKey(set: FirewallSet, key: readonly string[]): readonly string[] {
  const fields = FIELDS[set];
  if (key.length !== fields.length) {
    throw new TsnetError('INTERNAL', `an element of the set ${set} has ${key.length} fields`);
  }
  return key.map((part, index) => (fields[index] === 'ifname' ? checkName(part) : checkAddress(set, part)));
}

function checkName(name: string): string {
  if (isLinkName(name)) return name;
  throw new TsnetError('OPTION_INVALID', `${JSON.stringify(name)} cannot be named in a firewall rule`, {
    remedy: 'Give the link a name of at most 15 letters, digits and the characters _ . @ -.',
  });
}

function checkAddress(set: FirewallSet, text: string): string {
  const { family, value } = parseAddress(text);
  if (FIELDS[set].includes(`ipv${family}_addr`)) return formatAddress(family, value);
  throw new TsnetError('ADDRESS_INVALID', `${text} is not of the family of the set ${set}`);
}

/** Keys by set, rendered, in the order of the sets' declaration; sets without elements left out. */
export function groupBySet(elements: readonly FirewallElement[]): readonly [FirewallSet, string[]][] {
  return SETS.flatMap(set => {
    const keys = new Set(elements.filter(element => element.set === set).map(renderKey));
    return keys.size === 0 ? [] : [[set, [...keys]] as [FirewallSet, string[]]];
  });
}
