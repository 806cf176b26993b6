import type { MacvlanMode } from './host-state/types.ts';
import type { Attachment, GatewayMode, ModeName, PublishPlace } from './model.ts';

/** How the text of an option's value is read. */
export type OptionType =
  | { readonly kind: 'boolean' }
  | { readonly kind: 'integer'; readonly min: number; readonly max: number }
  | { readonly kind: 'choice'; readonly values: readonly string[] }
  | { readonly kind: 'link' }
  | { readonly kind: 'prefix' }
  | { readonly kind: 'address' }
  | { readonly kind: 'networks' };

export interface OptionSpec {
  readonly type: OptionType;
  /** What holds when the option is not given, as the docs say it. */
  readonly default: string;
  readonly modes: readonly ModeName[];
  /** The engine's own name or names for the same thing, accepted alike. */
  readonly aliases?: readonly string[];
  readonly doc: string;
}

export const MACVLAN_MODES = [
  'bridge',
  'private',
  'vepa',
  'passthru',
] as const satisfies readonly MacvlanMode[];
export const GATEWAY_MODES = [
  'nat',
  'nat-unprotected',
  'routed',
  'isolated',
] as const satisfies readonly GatewayMode[];
export const PUBLISH_PLACES = ['self', 'host', 'both', 'off'] as const satisfies readonly PublishPlace[];
export const ATTACHMENTS = ['auto', 'inside', 'engine'] as const satisfies readonly Attachment[];
/** How engines from 28 on announce the addresses of the interfaces that they move, if not told otherwise. */
export const ANNOUNCE = { count: 3, ms: 1000 } as const;
const BOTH = ['bridge', 'macvlan'] as const;

/**
 * Every driver option (`docker network create -o name=value`, `driver_opts` in compose files). docs/options.md is
 * generated from this table. Names are the engine's own where it has one, so that a file changes in one word.
 */
export const OPTIONS = {
  mode: {
    type: { kind: 'choice', values: BOTH },
    default: 'macvlan if parent or macvlan_mode is given, else bridge',
    modes: BOTH,
    doc: 'How containers are attached: to a NAT bridge of the host, or to the LAN of a parent link.',
  },
  parent: {
    type: { kind: 'link' },
    default: 'none: an isolated segment',
    modes: ['macvlan'],
    doc: 'The host link whose LAN the containers join.',
  },
  macvlan_mode: {
    type: { kind: 'choice', values: MACVLAN_MODES },
    default: 'bridge',
    modes: ['macvlan'],
    doc: 'How macvlan links of one parent see each other, as in the kernel: bridge directly, private not at all, vepa by way of the switch, passthru one link only.',
  },
  shim: {
    type: { kind: 'boolean' },
    default: 'true with a parent and macvlan_mode=bridge',
    modes: ['macvlan'],
    doc: 'A link on the host through which host and containers reach each other, which macvlan alone prevents.',
  },
  'com.docker.network.driver.mtu': {
    type: { kind: 'integer', min: 68, max: 65535 },
    default: "the parent's, or 1500",
    modes: BOTH,
    aliases: ['mtu'],
    doc: "Largest packet in bytes on the network's links (at least 1280 with IPv6); on macvlan not above the parent's.",
  },
  'com.docker.network.bridge.name': {
    type: { kind: 'link' },
    default: 'derived from the network id',
    modes: ['bridge'],
    doc: 'Name of the bridge. A bridge that exists already is used as it is: never re-addressed, never removed.',
  },
  'com.docker.network.bridge.enable_icc': {
    type: { kind: 'boolean' },
    default: 'true',
    modes: ['bridge'],
    aliases: ['enable_icc'],
    doc: 'Whether containers of the network reach each other. When off they still reach the host and the outside.',
  },
  'com.docker.network.bridge.enable_ip_masquerade': {
    type: { kind: 'boolean' },
    default: 'true',
    modes: ['bridge'],
    aliases: ['enable_ip_masquerade'],
    doc: "Whether packets to the outside leave with the host's address.",
  },
  'com.docker.network.container_iface_prefix': {
    type: { kind: 'prefix' },
    default: 'eth',
    modes: BOTH,
    doc: 'First part of the name of the interface inside the container; the engine adds a number.',
  },
  publish: {
    type: { kind: 'choice', values: PUBLISH_PLACES },
    default: 'self',
    modes: ['macvlan'],
    doc: "Where -p publishes: self on the container's own address (80:8080 makes its port 80 answer), host on the host's addresses (through the shim), both, off.",
  },
  'com.docker.network.bridge.host_binding_ipv4': {
    type: { kind: 'address' },
    default: 'every address of the host, IPv4 and IPv6',
    modes: BOTH,
    aliases: ['host_binding_ipv4'],
    doc: 'Address of the host that ports are published on when -p names none.',
  },
  'com.docker.network.bridge.gateway_mode_ipv4': {
    type: { kind: 'choice', values: GATEWAY_MODES },
    default: 'nat',
    modes: ['bridge'],
    aliases: ['gateway_mode_ipv4'],
    doc: 'How others reach the containers: nat publishes on the host; nat-unprotected also lets others route to every port of the containers; routed uses no NAT and opens published ports to those who route to the containers; isolated (with --internal) gives the bridge no address.',
  },
  'com.docker.network.bridge.gateway_mode_ipv6': {
    type: { kind: 'choice', values: GATEWAY_MODES },
    default: 'nat',
    modes: ['bridge'],
    aliases: ['gateway_mode_ipv6'],
    doc: 'The same for IPv6.',
  },
  isolation: {
    type: { kind: 'boolean' },
    default: 'true',
    modes: ['bridge'],
    doc: 'When off, containers of this network and of others that have it off reach each other.',
  },
  allow_from: {
    type: { kind: 'networks' },
    default: 'everybody',
    modes: BOTH,
    doc: 'Clients that ports published on the host are open to, as addresses or CIDRs with commas between; the host itself always is one.',
  },
  firewall: {
    type: { kind: 'choice', values: ['own', 'ufw'] },
    default: 'own',
    modes: BOTH,
    doc: "Whose rules decide who reaches published ports: tsnet's own, or also those of ufw for the same port of the host.",
  },
  attach: {
    type: { kind: 'choice', values: ATTACHMENTS },
    default: 'auto',
    modes: BOTH,
    doc: 'Who puts the interface into a container: engine moves and names it and counts its bytes for docker stats; inside has tsnet make it there, which is faster; auto leaves the first interface of a container to the engine and makes those inside that are connected besides. A container on a network with inside can be on networks of other drivers only if container_iface_prefix is another than theirs. See docs/modes/bridge.md.',
  },
  'com.docker.network.advertise_addr_nmsgs': {
    type: { kind: 'integer', min: 0, max: 3 },
    default: String(ANNOUNCE.count),
    modes: BOTH,
    doc: 'How often neighbours are told whose MAC an address of a new interface has (gratuitous ARP, unsolicited neighbour advertisement).',
  },
  'com.docker.network.advertise_addr_ms': {
    type: { kind: 'integer', min: 100, max: 2000 },
    default: String(ANNOUNCE.ms),
    modes: BOTH,
    doc: 'Milliseconds between those messages.',
  },
} as const satisfies Record<string, OptionSpec>;

export type OptionName = keyof typeof OPTIONS;
