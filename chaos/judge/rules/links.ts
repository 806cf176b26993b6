import type { Violation } from '../../world/types.ts';
import { bareOf, familyOf } from '../addresses.ts';
import type { LinkView } from '../kernel/types.ts';
import type { Look } from '../look.ts';
import { nameOf } from '../promise/endpoint.ts';
import { isBridge, type PromisedNetwork } from '../promise/network.ts';
import { auxAddress, ownAddresses, shimAlias } from '../promise/shim.ts';
import { differences, type Rule, violation } from '../violations.ts';

/** The host has tsnet's links for its networks and containers, and no others. */
export const linkRules: Rule<Look> = look => [
  ...marks(look),
  ...strays(look),
  ...bridges(look),
  ...ports(look),
  ...shims(look),
];

/** The alias of a link says whose it is. */
const marks: Rule<Look> = ({ kernel, promises: { networks, endpoints } }) => {
  const names = new Map<string, string>([
    ...networks.map(({ id, name }) => [`tsnet:${id}`, `network ${name}`] as const),
    ...endpoints.map(one => [`tsnet:${one.networkId}:${one.endpointId}`, nameOf(one)] as const),
  ]);
  const marked = kernel.host.links.filter(({ alias }) => alias.startsWith('tsnet:'));
  const { surplus, missing } = differences({
    found: marked.map(({ alias }) => alias),
    expected: [
      ...networks.filter(({ kind }) => kind === 'own' || kind === 'segment').map(({ id }) => `tsnet:${id}`),
      ...endpoints.filter(({ on }) => isBridge(on)).map(one => `tsnet:${one.networkId}:${one.endpointId}`),
      ...new Set(networks.filter(hasShim).map(({ parent }) => shimAlias(parent))),
    ],
  });
  return [
    ...surplus.map(alias => {
      const link = marked.findLast(one => one.alias === alias);
      return violation(
        'link-of-nothing',
        link?.name ?? '',
        `is marked ${names.get(alias) ?? alias}, which has it not`,
      );
    }),
    ...missing.map(alias =>
      violation('link-missing', names.get(alias) ?? alias, `no link is marked ${alias}`),
    ),
    ...networks
      .filter(({ link, kind }) => link === undefined && (kind === 'lan' || kind === 'foreign'))
      .map(({ name, parent }) => violation('parent-missing', name, `there is no link ${parent}`)),
  ];
};

const hasShim = ({ shim, link }: PromisedNetwork): boolean => shim && link !== undefined;

/** Links that look like tsnet's, without its mark; macvlan links that wait for nobody; what a namespace has left behind when it ended. */
const strays: Rule<Look> = ({ kernel }) =>
  kernel.host.links
    .filter(
      ({ alias, name, kind }) =>
        !alias.startsWith('tsnet:') && (/^ts[a-z][0-9a-f]{10}$/.test(name) || kind === 'macvlan'),
    )
    .map(({ name, kind }) => violation('link-of-nothing', name, `is a ${kind} that nobody has marked`));

/** A bridge carries the gateway addresses of its network, and no others. */
const bridges: Rule<Look> = ({ promises }) =>
  promises.networks
    .filter(({ kind }) => kind === 'own')
    .flatMap((network): Violation[] => {
      const { link, name } = network;
      if (link === undefined) return [];
      return [
        ...(link.kind === 'bridge' ? [] : [violation('link-kind', name, `${link.name} is a ${link.kind}`)]),
        ...(link.up ? [] : [violation('link-down', name, `${link.name} is down`)]),
        ...([4, 6] as const).flatMap(family => gatewayAddresses(network, link, family)),
      ];
    });

function gatewayAddresses(network: PromisedNetwork, link: LinkView, family: 4 | 6): Violation[] {
  const found = ownAddresses(link, family);
  const subnets = network.subnets.filter(({ subnet }) => familyOf(subnet) === family);
  if (network.gatewayMode[family] === 'isolated' || (family === 6 && !network.ipv6)) {
    return found.map(address => violation('bridge-address', network.name, `${link.name} has ${address}`));
  }
  const known = subnets.flatMap(({ gateway }) => gateway ?? []);
  const wrong = found.length !== subnets.length || known.some(gateway => !found.includes(gateway));
  if (!wrong) return [];
  const detail = `${link.name} has ${found.join(', ') || 'none'} of ${known.join(', ') || `${subnets.length}`}`;
  return [violation('bridge-address', network.name, detail)];
}

/** The host's ends of the containers' pairs are up, on their bridge, and kept apart where they are to be. */
const ports: Rule<Look> = ({ kernel, promises }) =>
  promises.endpoints
    .filter(({ on }) => isBridge(on))
    .flatMap(endpoint => {
      const { on, networkId, endpointId } = endpoint;
      const port = kernel.host.links.find(({ alias }) => alias === `tsnet:${networkId}:${endpointId}`);
      if (port === undefined) return [];
      const problems = [
        ...(port.kind === 'veth' ? [] : [`is a ${port.kind}`]),
        ...(port.up ? [] : ['is down']),
        ...(port.master === on.link?.name ? [] : [`is on '${port.master}', not on ${on.link?.name}`]),
        ...(port.isolated === !on.icc
          ? []
          : [`is ${port.isolated ? '' : 'not '}kept apart from other ports`]),
      ];
      return problems.map(problem => violation('port-wrong', nameOf(endpoint), `${port.name} ${problem}`));
    });

/** A shim lies on its parent and has the addresses that were set aside for it. */
const shims: Rule<Look> = ({ kernel, promises: { networks } }) => {
  const parents = new Map(networks.filter(hasShim).map(({ parent, link }) => [parent, link]));
  return [...parents].flatMap(([parent, lower]) => {
    const shim = kernel.host.links.find(({ alias }) => alias === shimAlias(parent));
    if (shim === undefined) return [];
    const of = networks.filter(one => hasShim(one) && one.parent === parent);
    const { surplus, missing } = differences({
      found: shim.addresses.filter(({ scope }) => scope !== 'link').map(({ address }) => bareOf(address)),
      expected: new Set(
        of.flatMap(one => one.subnets.flatMap(({ subnet }) => auxAddress(one, subnet) ?? [])),
      ),
    });
    const problems = [
      ...(shim.kind === 'macvlan' && shim.macvlanMode === 'bridge'
        ? []
        : [`is a ${shim.kind} ${shim.macvlanMode}`]),
      ...(shim.up || lower?.up === false ? [] : ['is down']),
      ...(shim.lower === parent ? [] : [`lies on ${shim.lower}`]),
      ...surplus.map(address => `has ${address}`),
      ...missing.map(address => `has not ${address}`),
    ];
    return problems.map(problem => violation('shim-wrong', parent, `${shim.name} ${problem}`));
  });
};
