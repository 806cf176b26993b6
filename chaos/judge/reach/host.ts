import { bareOf, familyOf, isWithin } from '../addresses.ts';
import type { Look } from '../look.ts';
import type { PromisedEndpoint } from '../promise/endpoint.ts';
import { isBridge, subnetOf } from '../promise/network.ts';
import { ownAddresses, sourceTowards } from '../promise/shim.ts';
import type { Reach } from './types.ts';

/** Host and containers reach each other over a bridge and through a shim, and without one not. */
export const withHost = ({ promises: { endpoints } }: Look): Reach[] =>
  endpoints.flatMap(endpoint =>
    endpoint.addresses.flatMap(cidr => {
      const expected = isExpected(endpoint, cidr);
      if (expected === undefined) return [];
      const about = {
        kind: 'ping' as const,
        expected,
        rule: expected ? 'unreachable' : 'reachable',
        subject: `${endpoint.container.name} on ${endpoint.on.name}`,
      };
      const to: Reach = { ...about, from: 'host', address: bareOf(cidr) };
      return [
        to,
        ...hostAddresses(endpoint, cidr).map(address => ({
          ...about,
          from: `container ${endpoint.container.name}`,
          address,
        })),
      ];
    }),
  );

/** @returns undefined: nothing is promised either way */
function isExpected({ on }: PromisedEndpoint, cidr: string): boolean | undefined {
  const family = familyOf(cidr);
  if (on.link?.up !== true || on.kind === 'segment') return undefined;
  if (on.kind === 'own') return on.gatewayMode[family] === 'isolated' ? undefined : true;
  const subnet = subnetOf(on, cidr)?.subnet ?? '';
  const isNear = ownAddresses(on.link, family).some(address => isWithin(subnet, address));
  if (on.kind === 'foreign') return isNear ? true : undefined;
  if (on.shim) return sourceTowards(on, cidr) === undefined ? undefined : true;
  // Without a shim the host looks for the container on the LAN, by the link that passes nothing on to it.
  return isNear ? false : undefined;
}

/** The host's addresses that are on the way to the container. */
function hostAddresses({ on }: PromisedEndpoint, cidr: string): string[] {
  const subnet = subnetOf(on, cidr)?.subnet;
  if (on.link === undefined || subnet === undefined) return [];
  if (!isBridge(on) && on.shim) return [sourceTowards(on, cidr) ?? []].flat();
  return ownAddresses(on.link, familyOf(cidr)).filter(address => isWithin(subnet, address));
}
