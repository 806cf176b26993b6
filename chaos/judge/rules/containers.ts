import type { Violation } from '../../world/types.ts';
import { bareOf, familyOf } from '../addresses.ts';
import type { EngineContainer } from '../engine/types.ts';
import type { LinkView, NamespaceView } from '../kernel/types.ts';
import type { Look } from '../look.ts';
import { nameOf, type PromisedEndpoint } from '../promise/endpoint.ts';
import { isBridge } from '../promise/network.ts';
import { type Rule, violation } from '../violations.ts';

/** What the kernel puts into every namespace by itself, once a module for tunnels is there. */
const FALLBACK = /^(lo|tunl0|sit0|gre0|gretap0|erspan0|ip_vti0|ip6_vti0|ip6tnl0|ip6gre0)$/;

/** Each running container has exactly its interfaces, addresses, MACs and gateways. */
export const containerRules: Rule<Look> = ({ kernel, promises }) => {
  const containers = new Map(promises.endpoints.map(({ container }) => [container.name, container]));
  return [...containers.values()].flatMap(container => {
    const inside = kernel.containers.get(container.name);
    if (inside === undefined)
      return [violation('container-unreadable', container.name, 'its network namespace cannot be entered')];
    const endpoints = promises.endpoints.filter(one => one.container === container);
    return [
      ...interfaces(container, inside),
      ...endpoints.flatMap(endpoint => endpointRules(endpoint, inside)),
      ...gateways(container, endpoints, inside),
    ];
  });
};

const linksOf = (inside: NamespaceView): LinkView[] =>
  inside.links.filter(({ name }) => !FALLBACK.test(name));

function interfaces({ name, attachments }: EngineContainer, inside: NamespaceView): Violation[] {
  const links = linksOf(inside);
  const surplus = links.filter(({ mac }) => !attachments.some(one => one.mac === mac));
  const count = links.length - surplus.length - attachments.length;
  return [
    ...surplus.map(link => violation('interface-of-nothing', name, `has ${link.name} with MAC ${link.mac}`)),
    ...(count > 0 ? [violation('interface-twice', name, `has ${count} more interfaces than networks`)] : []),
  ];
}

function endpointRules(endpoint: PromisedEndpoint, inside: NamespaceView): Violation[] {
  const { mac, on } = endpoint;
  const link = linksOf(inside).find(one => one.mac === mac);
  if (link === undefined)
    return [violation('interface-missing', nameOf(endpoint), `no interface has its MAC ${mac}`)];
  const kind = isBridge(on) ? 'veth' : 'macvlan';
  return [
    ...(link.up ? [] : [violation('interface-down', nameOf(endpoint), `${link.name} is down`)]),
    ...(link.kind === kind
      ? []
      : [violation('interface-kind', nameOf(endpoint), `${link.name} is a ${link.kind}, not a ${kind}`)]),
    ...(isBridge(on) || link.macvlanMode === on.macvlanMode
      ? []
      : [violation('interface-kind', nameOf(endpoint), `${link.name} is in mode ${link.macvlanMode}`)]),
    ...addresses(endpoint, link),
  ];
}

function addresses(endpoint: PromisedEndpoint, link: LinkView): Violation[] {
  const found = link.addresses.filter(({ scope }) => scope !== 'link');
  const has = new Set(found.map(({ address }) => address));
  return [
    ...endpoint.addresses
      .filter(address => !has.has(address))
      .map(address => violation('address-missing', nameOf(endpoint), `${link.name} has not ${address}`)),
    ...[...has]
      .filter(address => !endpoint.addresses.includes(address))
      .map(address => violation('address-surplus', nameOf(endpoint), `${link.name} has ${address}`)),
    ...found
      .filter(({ unusable }) => unusable)
      .map(({ address }) =>
        violation('address-unusable', nameOf(endpoint), `${address} is tentative or found twice`),
      ),
  ];
}

/** Of each family: the way out is by the gateway of one of its networks, and there is none if none of them has one. */
function gateways(
  { name, attachments }: EngineContainer,
  endpoints: readonly PromisedEndpoint[],
  inside: NamespaceView,
): Violation[] {
  // What networks of other drivers promise is not known here.
  if (endpoints.length < attachments.length) return [];
  return ([4, 6] as const).flatMap(family => {
    const routes = inside.routes.filter(
      route => route.family === family && route.destination === 'default' && route.table === 'main',
    );
    const allowed = new Set(endpoints.flatMap(endpoint => promisedGateway(endpoint, family) ?? []));
    const found = routes.map(({ gateway }) => gateway);
    if (allowed.size === 0 && routes.length > 0)
      return [violation('gateway-surplus', name, `has a default route by ${found.join(', ')}`)];
    if (allowed.size > 0 && routes.length === 0)
      return [violation('gateway-missing', name, `has no default route by ${[...allowed].join(' or ')}`)];
    return found
      .filter(gateway => !allowed.has(gateway))
      .map(gateway => violation('gateway-wrong', name, `has ${gateway}, not ${[...allowed].join(' or ')}`));
  });
}

/** The gateway that a network promises its containers, bare. */
function promisedGateway(
  { on, addresses: own, gateways: told }: PromisedEndpoint,
  family: 4 | 6,
): string | undefined {
  if (on.internal || on.kind === 'segment') return undefined;
  if (!own.some(address => familyOf(bareOf(address)) === family)) return undefined;
  const subnets = on.subnets.filter(({ subnet }) => familyOf(subnet) === family);
  return (
    subnets.find(({ gateway }) => gateway !== undefined)?.gateway ??
    told.find(gateway => familyOf(gateway) === family)
  );
}
