import { bareOf, familyOf, isWithin } from '../addresses.ts';
import type { EngineNetwork } from '../engine/types.ts';
import type { LinkView, NamespaceView } from '../kernel/types.ts';

/** A network of tsnet as its user has asked for it: the options of docs/options.md, read from what the engine has of them. */
export interface PromisedNetwork {
  readonly id: string;
  readonly name: string;
  /** own: a bridge of tsnet's; foreign: one that was there; lan: on a parent link; segment: macvlan without one. */
  readonly kind: 'own' | 'foreign' | 'lan' | 'segment';
  /** The link of the host that it hangs on; undefined: it should be there and is not. */
  readonly link: LinkView | undefined;
  /** What the user calls that link; '' where tsnet has made and named it. */
  readonly parent: string;
  readonly internal: boolean;
  readonly ipv4: boolean;
  readonly ipv6: boolean;
  readonly subnets: EngineNetwork['subnets'];
  readonly ipam: string;
  readonly icc: boolean;
  readonly masquerade: boolean;
  readonly isolation: boolean;
  readonly shim: boolean;
  readonly macvlanMode: string;
  readonly publish: string;
  readonly hostBinding: string;
  readonly gatewayMode: { readonly 4: string; readonly 6: string };
  readonly allowFrom: readonly string[];
  readonly ufw: boolean;
}

const PREFIX = 'com.docker.network.bridge.';
const OFF = new Set(['false', 'off', 'no', '0']);

/** @param host what the host's own namespace has: which bridges were somebody's before is to be seen there only */
export function promiseOf(network: EngineNetwork, host: NamespaceView): PromisedNetwork {
  const option = (name: string, otherwise = ''): string =>
    network.options[PREFIX + name] ?? network.options[name] ?? otherwise;
  const isOn = (name: string, otherwise: boolean): boolean => {
    const text = option(name).toLowerCase();
    return text === '' ? otherwise : !OFF.has(text);
  };
  const parent = option('parent');
  const macvlan = option('mode') === 'macvlan' || (option('mode') === '' && isLan(network.options));
  const named = option('name');
  const made = host.links.find(link => link.alias === `tsnet:${network.id}`);
  const existing = (name: string): LinkView | undefined => host.links.find(link => link.name === name);
  const kind = macvlan
    ? parent !== '' && !network.internal
      ? 'lan'
      : 'segment'
    : named !== '' && existing(named)?.alias.startsWith('tsnet:') === false
      ? 'foreign'
      : 'own';
  const macvlanMode = option('macvlan_mode', 'bridge');
  return {
    id: network.id,
    name: network.name,
    kind,
    link: kind === 'lan' ? existing(parent) : kind === 'foreign' ? existing(named) : made,
    parent: macvlan ? parent : named,
    internal: network.internal,
    ipv4: network.subnets.some(({ subnet }) => familyOf(subnet) === 4),
    ipv6: network.ipv6,
    subnets: network.subnets,
    ipam: network.ipamDriver,
    icc: isOn('enable_icc', true),
    masquerade: isOn('enable_ip_masquerade', true),
    isolation: isOn('isolation', true),
    shim: kind === 'lan' && macvlanMode === 'bridge' && isOn('shim', true),
    macvlanMode,
    publish: option('publish', 'self'),
    hostBinding: option('host_binding_ipv4'),
    gatewayMode: { 4: option('gateway_mode_ipv4', 'nat'), 6: option('gateway_mode_ipv6', 'nat') },
    allowFrom: option('allow_from').split(',').filter(Boolean),
    ufw: option('firewall') === 'ufw',
  };
}

const isLan = (options: EngineNetwork['options']): boolean =>
  options['parent'] !== undefined || options['macvlan_mode'] !== undefined;

export const isBridge = ({ kind }: PromisedNetwork): boolean => kind === 'own' || kind === 'foreign';

/** Whether ports are published by translation. */
export const isNat = (mode: string): boolean => mode === 'nat' || mode === 'nat-unprotected';

/** The subnet of a network that an address is in. @param address CIDR or bare */
export const subnetOf = (
  { subnets }: PromisedNetwork,
  address: string,
): PromisedNetwork['subnets'][number] | undefined =>
  subnets.find(({ subnet }) => isWithin(subnet, bareOf(address)));
