import type { Violation } from '../../world/types.ts';
import { bareOf, canonical, isWithin } from '../addresses.ts';
import type { Look } from '../look.ts';
import { nameOf, type PromisedEndpoint } from '../promise/endpoint.ts';
import { ownAddresses } from '../promise/shim.ts';
import { type Rule, violation } from '../violations.ts';

/** No address is held twice; none is held by nobody. */
export const addressRules: Rule<Look> = look => [...twice(look), ...storedTwice(look), ...leases(look)];

/** Addresses are to be told apart where frames of one reach the other: on a link of the host. */
const segmentOf = ({ on }: PromisedEndpoint): string => on.link?.name ?? on.id;

/** As the kernel has them in the containers' interfaces. */
const twice: Rule<Look> = ({ promises, kernel }) => {
  const holders = new Map<string, Set<string>>();
  for (const endpoint of promises.endpoints) {
    const inside = kernel.containers.get(endpoint.container.name);
    const link = inside?.links.find(({ mac }) => mac === endpoint.mac);
    const held = [
      ...(link?.addresses ?? [])
        .filter(({ scope }) => scope !== 'link')
        .map(({ address }) => `address ${bareOf(address)}`),
      `MAC ${endpoint.mac}`,
    ];
    for (const what of held) add(holders, `${what} on ${segmentOf(endpoint)}`, nameOf(endpoint));
  }
  for (const { on } of promises.endpoints) {
    const own =
      on.link === undefined || on.kind !== 'lan'
        ? []
        : on.link.addresses.map(({ address }) => bareOf(address));
    for (const address of own) add(holders, `address ${address} on ${on.link?.name}`, 'the host');
    for (const { gateway } of on.subnets) {
      if (gateway !== undefined && !on.internal)
        add(holders, `address ${gateway} on ${on.link?.name}`, 'the gateway');
    }
  }
  return several(holders, 'address-held-twice');
};

/** As the store has them. */
const storedTwice: Rule<Look> = ({ store }) => {
  const holders = new Map<string, Set<string>>();
  for (const { id, networkId, address4, address6, lifecycle } of store.endpoints) {
    if (lifecycle !== 'live') continue;
    for (const cidr of [address4, address6]) {
      if (cidr !== undefined)
        add(holders, `${bareOf(cidr)} of network ${networkId.slice(0, 12)}`, id.slice(0, 12));
    }
  }
  return several(holders, 'address-stored-twice');
};

/** What tsnet's own IPAM has given out is an address of a container, a gateway, or set aside. */
const leases: Rule<Look> = ({ store, engine, promises }) => {
  const ipam = engine.networks.filter(({ ipamDriver }) => ipamDriver.split(':')[0] === 'tsnet');
  const ids = new Set(ipam.map(({ id }) => id));
  const held = new Set([
    ...ipam.flatMap(({ subnets }) =>
      subnets.flatMap(({ gateway, aux }) => [
        ...(gateway === undefined ? [] : [gateway]),
        ...Object.values(aux).map(address => canonical(bareOf(address))),
      ]),
    ),
    // Engines up to 27 do not write down the gateway that IPAM has chosen.
    ...promises.networks
      .filter(({ id, kind }) => ids.has(id) && kind === 'own')
      .flatMap(({ link }) =>
        link === undefined ? [] : [4 as const, 6 as const].flatMap(family => ownAddresses(link, family)),
      ),
    ...promises.endpoints
      .filter(({ networkId }) => ids.has(networkId))
      .flatMap(({ addresses }) => addresses.map(bareOf)),
  ]);
  const given = new Set(store.leases.map(({ address }) => address));
  const pools = ipam.flatMap(({ subnets }) => subnets.map(({ subnet }) => subnet));
  return [
    ...store.leases
      .filter(({ address }) => !held.has(address))
      .map(({ address, pool }) =>
        violation('address-of-nobody', address, `is given out of ${pool}, and nobody has it`),
      ),
    ...[...held]
      .filter(address => !given.has(address))
      .map(address => violation('address-not-leased', address, 'is held, and tsnet would give it out again')),
    ...store.pools
      .filter(({ pool }) => !pools.some(subnet => isSame(subnet, pool)))
      .map(({ id }) => violation('pool-of-nothing', id, 'is kept, and no network has it')),
    ...pools
      .filter(subnet => !store.pools.some(({ pool }) => isSame(subnet, pool)))
      .map(subnet => violation('pool-missing', subnet, 'a network has it, and tsnet does not know')),
  ];
};

const isSame = (one: string, other: string): boolean =>
  one.split('/')[1] === other.split('/')[1] && isWithin(one, bareOf(other));

function add(holders: Map<string, Set<string>>, what: string, who: string): void {
  const all = holders.get(what) ?? new Set();
  holders.set(what, all.add(who));
}

const several = (holders: Map<string, Set<string>>, rule: string): Violation[] =>
  [...holders]
    .filter(([, who]) => who.size > 1)
    .map(([what, who]) => violation(rule, what, `is held by ${[...who].join(' and ')}`));
