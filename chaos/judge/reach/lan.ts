import { bareOf, familyOf, isWithin } from '../addresses.ts';
import type { NamespaceView } from '../kernel/types.ts';
import type { Look } from '../look.ts';
import type { PromisedEndpoint } from '../promise/endpoint.ts';
import { isBridge, subnetOf } from '../promise/network.ts';
import { ownAddresses } from '../promise/shim.ts';
import type { Reach } from './types.ts';

/** Containers reach the LAN as their network says: as its members, translated, or not at all; the LAN reaches its members. */
export const withLan = (look: Look): Reach[] =>
  look.promises.endpoints.flatMap(endpoint => {
    const subject = `${endpoint.container.name} on ${endpoint.on.name}`;
    const from = `container ${endpoint.container.name}`;
    return endpoint.addresses.flatMap((cidr): Reach[] => {
      const ping = (way: Pick<Reach, 'from' | 'address' | 'expected'>): Reach => ({
        ...way,
        kind: 'ping',
        rule: way.expected ? 'unreachable' : 'reachable',
        subject,
      });
      if (endpoint.on.kind === 'lan') {
        return lanMembers(look, endpoint, cidr).flatMap(address => [
          ping({ from, address, expected: true }),
          ...(look.lan === undefined ? [] : [ping({ from: 'lan', address: bareOf(cidr), expected: true })]),
        ]);
      }
      const router = routerOf(look.kernel.host, familyOf(cidr));
      const expected = reachesOut(look, endpoint, familyOf(cidr));
      return router === undefined || expected === undefined
        ? []
        : [ping({ from, address: router, expected })];
    });
  });

/** The machine of the LAN that the host has its way out by. */
const routerOf = (host: NamespaceView, family: 4 | 6): string | undefined =>
  host.routes.find(
    route => route.family === family && route.destination === 'default' && route.gateway !== '',
  )?.gateway;

/** Addresses of the LAN's machine in the subnet of a container that is one of its members. */
function lanMembers({ lan, kernel }: Look, { on }: PromisedEndpoint, cidr: string): string[] {
  const subnet = subnetOf(on, cidr)?.subnet;
  if (on.link?.up !== true || subnet === undefined) return [];
  const family = familyOf(cidr);
  const known =
    lan?.links.flatMap(link => ownAddresses(link, family)) ?? [routerOf(kernel.host, family) ?? []].flat();
  return known.filter(address => isWithin(subnet, address)).slice(0, 1);
}

/** @returns undefined: nothing is promised either way */
function reachesOut(
  { promises, kernel }: Look,
  { container, on }: PromisedEndpoint,
  family: 4 | 6,
): boolean | undefined {
  const own = promises.endpoints.filter(one => one.container === container);
  if (own.length < container.attachments.length) return undefined;
  if (own.every(one => one.on.kind === 'segment' || (one.on.kind === 'own' && one.on.internal))) return false;
  if (!isBridge(on) || on.internal || !on.masquerade || on.gatewayMode[family] !== 'nat') return undefined;
  const inside = kernel.containers.get(container.name);
  const gateway = inside?.routes.find(
    route => route.family === family && route.destination === 'default',
  )?.gateway;
  // The way out may be by another of its networks, or by a router that is not the host.
  const byHost = on.link !== undefined && ownAddresses(on.link, family).includes(gateway ?? '');
  return byHost ? true : undefined;
}
