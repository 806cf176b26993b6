import { bareOf } from '../addresses.ts';
import type { Look } from '../look.ts';
import { isBridge } from '../promise/network.ts';
import { ownAddresses, shimAlias, sourceTowards } from '../promise/shim.ts';
import { differences, type Rule, violation } from '../violations.ts';

/**
 * A shim has a permanent neighbour for each address of a container behind it, and answers for the IPv6 addresses of its parent;
 * no other link of the host has either.
 */
export const neighbourRules: Rule<Look> = ({ kernel, promises }) => {
  const shims = new Map(
    kernel.host.links
      .filter(({ alias }) => alias.startsWith('tsnet:shim:'))
      .map(({ alias, name }) => [alias, name]),
  );
  const lans = promises.networks.filter(({ shim, link }) => shim && link?.up === true);
  const permanent = promises.endpoints
    .filter(({ on }) => lans.includes(on))
    .flatMap(({ on, addresses, mac }) =>
      addresses
        .filter(address => sourceTowards(on, address) !== undefined)
        .map(address => `${bareOf(address)} dev ${shims.get(shimAlias(on.parent))} lladdr ${mac}`),
    );
  const proxies = lans
    .filter(({ ipv6 }) => ipv6)
    .flatMap(({ parent, link }) =>
      (link === undefined ? [] : ownAddresses(link, 6)).map(
        address => `${address} dev ${shims.get(shimAlias(parent))} proxy`,
      ),
    );
  // Engines keep permanent neighbours of their own on the links of their overlay networks.
  const own = new Set([
    ...shims.values(),
    ...promises.networks.filter(isBridge).flatMap(({ link }) => link?.name ?? []),
  ]);
  const parents = new Set(promises.networks.filter(({ kind }) => kind === 'lan').map(({ parent }) => parent));
  const { surplus, missing } = differences({
    found: kernel.host.neighbours
      .filter(({ link, permanent: lasts, proxy }) => (lasts || proxy) && (own.has(link) || parents.has(link)))
      .filter(({ address }) => !/^(ff|22[4-9]\.|23\d\.)/.test(address))
      .map(({ address, link, mac, proxy }) => `${address} dev ${link} ${proxy ? 'proxy' : `lladdr ${mac}`}`),
    expected: new Set([...permanent, ...proxies]),
  });
  return [
    ...surplus.map(entry =>
      violation('neighbour-of-nothing', entry.split(' ')[0] ?? '', `there is ${entry}`),
    ),
    ...missing.map(entry =>
      violation('neighbour-missing', entry.split(' ')[0] ?? '', `there is no ${entry}`),
    ),
  ];
};
