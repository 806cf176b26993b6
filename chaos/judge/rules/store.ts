import type { Violation } from '../../world/types.ts';
import type { Look } from '../look.ts';
import { nameOf } from '../promise/endpoint.ts';
import { type Rule, violation } from '../violations.ts';

/** What tsnet remembers is what the engine has: it would restore a host from that. */
export const storeRules: Rule<Look> = look => [...networks(look), ...endpoints(look)];

const networks: Rule<Look> = ({ store, promises }) => {
  const stored = new Map(store.networks.map(network => [network.id, network]));
  const known = new Set(promises.networks.map(({ id }) => id));
  return [
    ...store.networks
      .filter(({ id }) => !known.has(id))
      .map(({ id, lifecycle }) =>
        violation(
          'network-of-nothing',
          id.slice(0, 12),
          `is ${lifecycle} in the store, and the engine has it not`,
        ),
      ),
    ...promises.networks.flatMap(({ id, name, kind, link, parent }): Violation[] => {
      const row = stored.get(id);
      if (row === undefined) return [violation('network-not-stored', name, 'tsnet does not remember it')];
      const base = link?.name ?? parent;
      const wrong = [
        ...(row.lifecycle === 'live' ? [] : [`is ${row.lifecycle}`]),
        ...(base === '' || row.base.link === base ? [] : [`hangs on ${row.base.link}, not on ${base}`]),
        ...(row.base.kind === (kind === 'own' || kind === 'segment' ? 'own' : 'foreign')
          ? []
          : [`has a base that is ${row.base.kind}`]),
      ];
      return wrong.map(what => violation('network-stored-wrong', name, `in the store it ${what}`));
    }),
  ];
};

const endpoints: Rule<Look> = ({ store, promises }) => {
  const stored = new Map(store.endpoints.map(endpoint => [endpoint.id, endpoint]));
  const known = new Set(promises.endpoints.map(({ endpointId }) => endpointId));
  return [
    ...store.endpoints
      .filter(({ id }) => !known.has(id))
      .map(({ id, lifecycle, address4, address6 }) =>
        violation(
          'endpoint-of-nothing',
          id.slice(0, 12),
          `is ${lifecycle} in the store with ${address4 ?? address6}, and no running container has it`,
        ),
      ),
    ...promises.endpoints.flatMap((endpoint): Violation[] => {
      const row = stored.get(endpoint.endpointId);
      if (row === undefined)
        return [violation('endpoint-not-stored', nameOf(endpoint), 'tsnet does not remember it')];
      const held = [row.address4, row.address6].filter(address => address !== undefined);
      const wrong = [
        ...(row.lifecycle === 'live' && row.joined
          ? []
          : [`is ${row.lifecycle}${row.joined ? '' : ', not joined'}`]),
        ...(held.join() === endpoint.addresses.join()
          ? []
          : [`has ${held.join()}, not ${endpoint.addresses.join()}`]),
        ...(row.mac === endpoint.mac ? [] : [`has MAC ${row.mac}, not ${endpoint.mac}`]),
      ];
      return wrong.map(what =>
        violation('endpoint-stored-wrong', nameOf(endpoint), `in the store it ${what}`),
      );
    }),
  ];
};
