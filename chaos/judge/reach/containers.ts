import { bareOf, familyOf } from '../addresses.ts';
import type { Look } from '../look.ts';
import type { PromisedEndpoint } from '../promise/endpoint.ts';
import type { Reach } from './types.ts';

/** Containers of one network reach each other, but where their user did not want it; those of two networks do not. */
export function betweenContainers({ promises: { endpoints }, kernel }: Look): Reach[] {
  const containers = [...new Set(endpoints.map(({ container }) => container.name))].filter(name =>
    kernel.containers.has(name),
  );
  return containers.flatMap(from => {
    const own = endpoints.filter(({ container }) => container.name === from);
    return endpoints
      .filter(({ container }) => container.name !== from)
      .flatMap(to => {
        const expected = expectation(own, to);
        if (expected === undefined) return [];
        return to.addresses
          .filter(address => !expected || canSpeak(own, to, familyOf(address)))
          .map(address => ({
            from: `container ${from}`,
            kind: 'ping' as const,
            address: bareOf(address),
            expected,
            rule: expected ? 'unreachable' : 'reachable',
            subject: `${to.container.name} on ${to.on.name}`,
          }));
      });
  });
}

/** @returns undefined: nothing is promised either way */
function expectation(own: readonly PromisedEndpoint[], to: PromisedEndpoint): boolean | undefined {
  const shared = own.find(({ on }) => on === to.on);
  if (shared !== undefined) {
    const { on } = to;
    if (on.kind === 'own' || on.kind === 'foreign') return on.icc;
    if (on.link?.up === false) return undefined;
    return on.macvlanMode === 'bridge' ? true : on.macvlanMode === 'private' ? false : undefined;
  }
  const apart = [to, ...own].every(
    ({ on }) =>
      on.kind === 'own' && on.isolation && on.gatewayMode[4] === 'nat' && on.gatewayMode[6] === 'nat',
  );
  return apart ? false : undefined;
}

/** Whether the container has an address of that family on the network of the other. */
const canSpeak = (own: readonly PromisedEndpoint[], to: PromisedEndpoint, family: 4 | 6): boolean =>
  own.some(({ on, addresses }) => on === to.on && addresses.some(address => familyOf(address) === family));
