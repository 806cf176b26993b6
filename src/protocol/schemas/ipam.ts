import { z } from 'zod';
import { present } from '../../present.ts';
import type { AddressRequest, PoolRequest } from '../types.ts';
import { address, flag, optional, optionalAddress, optionalCidr, stringMap } from './fields.ts';

const REQUEST_TYPE = 'RequestAddressType';
const GATEWAY_TYPE = 'com.docker.network.gateway';
const ENDPOINT_NAME = 'com.docker.network.endpoint.name';

const poolId = z.string().min(1).max(512);

export const requestPool = z
  .object({
    AddressSpace: optional,
    Pool: optionalCidr(),
    SubPool: optionalCidr(),
    Options: stringMap,
    V6: flag,
  })
  .transform(
    (wire): PoolRequest =>
      present({
        addressSpace: wire.AddressSpace ?? '',
        pool: wire.Pool,
        subPool: wire.SubPool,
        options: wire.Options,
        v6: wire.V6,
      }),
  );

export const releasePool = z.object({ PoolID: poolId }).transform(wire => wire.PoolID);

export const requestAddress = z
  .object({ PoolID: poolId, Address: optionalAddress, Options: stringMap })
  .transform(
    (wire): AddressRequest =>
      present({
        poolId: wire.PoolID,
        address: wire.Address,
        gateway: wire.Options[REQUEST_TYPE] === GATEWAY_TYPE,
        endpointName: wire.Options[ENDPOINT_NAME] || undefined,
        options: wire.Options,
      }),
  );

export const releaseAddress = z
  .object({ PoolID: poolId, Address: address })
  .transform(wire => ({ poolId: wire.PoolID, address: wire.Address }));
