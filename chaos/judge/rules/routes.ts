import { bareOf, familyOf } from '../addresses.ts';
import type { RouteView } from '../kernel/types.ts';
import type { Look } from '../look.ts';
import { shimAlias, sourceTowards } from '../promise/shim.ts';
import { differences, type Rule, violation } from '../violations.ts';

/** The protocol number by which tsnet's routes are known (docs/modes/macvlan.md). */
const PROTOCOL = '116';

/** The host has a route into the shim for each address of a container behind it, and no other route of tsnet's. */
export const routeRules: Rule<Look> = ({ kernel, promises }) => {
  const shims = new Map(
    kernel.host.links
      .filter(({ alias }) => alias.startsWith('tsnet:shim:'))
      .map(({ alias, name }) => [alias, name]),
  );
  const expected = promises.endpoints
    .filter(({ on }) => on.shim && on.link?.up === true)
    .flatMap(({ on, addresses }) =>
      addresses.flatMap(cidr => {
        const source = sourceTowards(on, cidr);
        const shim = shims.get(shimAlias(on.parent));
        if (source === undefined || shim === undefined) return [];
        return [`${bareOf(cidr)}/${familyOf(cidr) === 4 ? 32 : 128} dev ${shim} src ${source}`];
      }),
    );
  const names = new Set(shims.values());
  const found = kernel.host.routes
    .filter(route => route.protocol === PROTOCOL || (names.has(route.link) && !isKernels(route)))
    .map(({ destination, link, source, table }) =>
      [`${destination} dev ${link}`, source && `src ${source}`, table !== 'main' && `table ${table}`]
        .filter(Boolean)
        .join(' '),
    );
  const { surplus, missing } = differences({ found, expected });
  return [
    ...surplus.map(route => violation('route-of-nothing', route.split(' ')[0] ?? '', `there is ${route}`)),
    ...missing.map(route => violation('route-missing', route.split(' ')[0] ?? '', `there is no ${route}`)),
  ];
};

/** What the kernel adds for each address and each link. */
const isKernels = ({ protocol, table }: RouteView): boolean => protocol === 'kernel' || table === 'local';
