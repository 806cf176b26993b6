import { succeeded } from '../campaign/engine-calls.ts';
import type { Place } from '../world/places.ts';
import type { Mode, WorldNetwork } from '../world/types.ts';
import type { Operation } from './operation.ts';

const MODE_OPTIONS = {
  bridge: () => ({}),
  'bridge-internal': () => ({}),
  'bridge-isolated': () => ({ 'com.docker.network.bridge.enable_icc': 'false' }),
  'bridge-foreign': parent => ({ 'com.docker.network.bridge.name': parent }),
  macvlan: parent => ({ parent, publish: 'host' }),
  'macvlan-self': parent => ({ parent }),
} satisfies Record<Mode, (parent: string) => Record<string, string>>;

/** `docker network create` at a place that is free. */
export function createNetwork(place: Place, mode: Mode, ipam: WorldNetwork['ipam']): Operation {
  const { name, v6, parent } = place;
  const network: WorldNetwork = {
    name,
    mode,
    subnet4: place.subnet4,
    ipam,
    uncertain: false,
    ...(v6 === undefined ? {} : { subnet6: v6.subnet }),
    ...(parent === undefined ? {} : { parent }),
  };
  const options = MODE_OPTIONS[mode](parent ?? '');
  const body = {
    Name: name,
    Driver: 'tsnet',
    CheckDuplicate: true,
    Internal: mode === 'bridge-internal',
    EnableIPv6: v6 !== undefined,
    IPAM: {
      Driver: ipam,
      Config: [
        { Subnet: place.subnet4, Gateway: place.gateway4, IPRange: place.range4 },
        ...(v6 === undefined
          ? []
          : [
              {
                Subnet: v6.subnet,
                Gateway: v6.gateway,
                ...(v6.range === undefined ? {} : { IPRange: v6.range }),
              },
            ]),
      ],
    },
    Options: options,
  };
  const words = Object.entries(options).map(([key, value]) => `-o ${key}=${value} `);
  return {
    kind: 'network-create',
    text: `docker network create -d tsnet --ipam-driver ${ipam} --subnet ${place.subnet4} --ip-range ${place.range4} ${words.join('')}${mode === 'bridge-internal' ? '--internal ' : ''}${v6 === undefined ? '' : '--ipv6 '}${name}`,
    exclusive: [name],
    shared: [],
    async perform(calls, world) {
      world.networks.set(name, { ...network, uncertain: true });
      const created = await calls.call('POST', '/networks/create', body);
      if (!succeeded(created)) return created;
      world.networks.set(name, network);
      return undefined;
    },
  };
}

/** `docker network rm` of a network that no container is on. */
export function removeNetwork(name: string): Operation {
  return {
    kind: 'network-rm',
    text: `docker network rm ${name}`,
    exclusive: [name],
    shared: [],
    async perform(calls, world) {
      world.doubtNetwork(name);
      const removed = await calls.call('DELETE', `/networks/${name}`);
      if (!succeeded(removed)) return removed;
      world.networks.delete(name);
      return undefined;
    },
  };
}
