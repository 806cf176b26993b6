import { z } from 'zod';
import type { Family } from '../../addresses.ts';
import { present } from '../../present.ts';
import type { CreateNetworkRequest, IpamData, NetworkFlags } from '../types.ts';
import { auxAddresses, cidr, flag, id, optional, optionalCidr, stringMap } from './fields.ts';

const ENABLE_IPV4 = 'com.docker.network.enable_ipv4';
const ENABLE_IPV6 = 'com.docker.network.enable_ipv6';
const INTERNAL = 'com.docker.network.internal';
const GENERIC = 'com.docker.network.generic';

const networkFlags = z
  .object({
    // Engines before 28 have no networks without IPv4, and do not send the key.
    [ENABLE_IPV4]: z.boolean().nullish(),
    [ENABLE_IPV6]: flag,
    [INTERNAL]: flag,
    [GENERIC]: stringMap,
  })
  .nullish()
  .transform(
    (options): NetworkFlags => ({
      ipv4: options?.[ENABLE_IPV4] ?? true,
      ipv6: options?.[ENABLE_IPV6] ?? false,
      internal: options?.[INTERNAL] ?? false,
      generic: options?.[GENERIC] ?? {},
    }),
  );

const ipamData = (family: Family) =>
  z
    .array(
      z
        .object({
          AddressSpace: optional,
          Pool: cidr(family),
          Gateway: optionalCidr(family),
          AuxAddresses: auxAddresses(family),
        })
        .transform(
          (wire): IpamData =>
            present({
              addressSpace: wire.AddressSpace ?? '',
              pool: wire.Pool,
              gateway: wire.Gateway,
              aux: wire.AuxAddresses,
            }),
        ),
    )
    .nullish()
    .transform((list): readonly IpamData[] => list ?? []);

export const gwAllocCheck = z.object({ Options: networkFlags }).transform(wire => wire.Options);

export const createNetwork = z
  .object({ NetworkID: id, Options: networkFlags, IPv4Data: ipamData(4), IPv6Data: ipamData(6) })
  .transform(
    (wire): CreateNetworkRequest => ({
      networkId: wire.NetworkID,
      ...wire.Options,
      ipv4Data: wire.IPv4Data,
      ipv6Data: wire.IPv6Data,
    }),
  );

/** DeleteNetwork and FreeNetwork. */
export const networkRef = z.object({ NetworkID: id }).transform(wire => wire.NetworkID);

/** What a swarm manager asks; the subnets are left to CreateNetwork on the nodes. */
export const allocateNetwork = z
  .object({ NetworkID: id, Options: stringMap })
  .transform(wire => ({ networkId: wire.NetworkID, options: wire.Options }));

/** DiscoverNew and DiscoverDelete; the engine forwards nodes (type 1) only. */
export const discovery = z
  .object({ DiscoveryType: z.int(), DiscoveryData: z.unknown() })
  .transform(wire => ({ type: wire.DiscoveryType }));
