import type { FirewallSet } from '../host-state/types.ts';
import { type Field, isInterval, nftType } from './fields.ts';

interface Shape {
  readonly key: readonly Field[];
  /** Of maps: what a key is mapped to. */
  readonly value?: readonly Field[];
}

const LINK: Shape = { key: ['ifname'] };
const PORT = ['inet_proto', 'inet_service'] as const;
const GUEST4: Shape = { key: ['ifname', 'ipv4_addr'] };
const GUEST6: Shape = { key: ['ifname', 'ipv6_addr'] };

/** The fields of each set and map. */
const SHAPES: Readonly<Record<FirewallSet, Shape>> = {
  // tsnet's own bridges. Everything on them is a container of tsnet.
  bridges: LINK,
  // Every bridge, own or foreign, with itself: nft cannot compare the two interfaces of a packet.
  same_bridge: { key: ['ifname', 'ifname'] },
  // The bridges of the engine's own networks.
  engine_bridges: LINK,
  // Shims with published ports behind them.
  shims: LINK,
  no_icc: LINK,
  internal: LINK,
  // Networks with isolation=off reach each other.
  unisolated: LINK,
  masquerade4: LINK,
  masquerade6: LINK,
  // tsnet's containers on foreign bridges, where others live too.
  guest4: GUEST4,
  guest6: GUEST6,
  guest_masquerade4: GUEST4,
  guest_masquerade6: GUEST6,
  // Links behind which containers are reached from 127.0.0.1.
  localnet: LINK,
  // Ports published on every address of the host, to address and port of the container.
  publish4: { key: PORT, value: ['ipv4_addr', 'inet_service'] },
  publish6: { key: PORT, value: ['ipv6_addr', 'inet_service'] },
  // Ports published on one address of the host.
  publish_at4: { key: ['ipv4_addr', ...PORT], value: ['ipv4_addr', 'inet_service'] },
  publish_at6: { key: ['ipv6_addr', ...PORT], value: ['ipv6_addr', 'inet_service'] },
  // Containers with published ports, each with itself: nft cannot compare the two addresses of a packet.
  self4: { key: ['ipv4_addr', 'ipv4_addr'] },
  self6: { key: ['ipv6_addr', 'ipv6_addr'] },
  // Containers that would answer their clients past the host, which undoes no translation then, by the link to them:
  // to the address of the host that connections to their published ports have to come from.
  published_source4: { ...GUEST4, value: ['ipv4_addr'] },
  published_source6: { ...GUEST6, value: ['ipv6_addr'] },
  // Containers whose published ports are not open to everybody, and these with each network that they are open to.
  // Networks of one container must not overlap: kernels refuse one within another.
  restricted4: { key: ['ipv4_addr'] },
  restricted6: { key: ['ipv6_addr'] },
  allow_from4: { key: ['ipv4_addr', 'ipv4_net'] },
  allow_from6: { key: ['ipv6_addr', 'ipv6_net'] },
  // Containers whose published ports the host's own firewall judges.
  ufw4: { key: ['ipv4_addr'] },
  ufw6: { key: ['ipv6_addr'] },
  // Networks by gateway mode.
  unprotected4: LINK,
  unprotected6: LINK,
  routed4: LINK,
  routed6: LINK,
  // Published ports of containers on routed networks: open, not translated.
  open4: { key: ['ipv4_addr', ...PORT] },
  open6: { key: ['ipv6_addr', ...PORT] },
};

export const SETS = Object.keys(SHAPES) as readonly FirewallSet[];

export const isFirewallSet = (name: string): name is FirewallSet => Object.hasOwn(SHAPES, name);

export const keyFields = (set: FirewallSet): readonly Field[] => SHAPES[set].key;
/** Undefined for what is a set and no map. */
export const valueFields = (set: FirewallSet): readonly Field[] | undefined => SHAPES[set].value;

/** What the table keeps for itself; rules fill it, and its contents are nobody's to compare. */
const COUNTED = (['4', '6'] as const).map(version => ({
  // Who has connected to a port with a limit within the last half minute: see guard.ts.
  name: `limited${version}`,
  kind: 'set' as const,
  lines: [`type ipv${version}_addr`, 'size 65535', 'flags dynamic,timeout', 'timeout 30s'],
}));

/** The declaration of each set and map: name, word of nft, and lines between its braces without elements. */
export const DECLARATIONS: readonly {
  readonly name: string;
  readonly kind: 'set' | 'map';
  readonly lines: readonly string[];
}[] = [
  ...SETS.map(name => {
    const { key, value } = SHAPES[name];
    const type = (fields: readonly Field[]): string => fields.map(nftType).join(' . ');
    const intervals = isInterval(key) ? ['flags interval'] : [];
    return value === undefined
      ? { name, kind: 'set' as const, lines: [`type ${type(key)}`, ...intervals] }
      : { name, kind: 'map' as const, lines: [`type ${type(key)} : ${type(value)}`] };
  }),
  ...COUNTED,
];
