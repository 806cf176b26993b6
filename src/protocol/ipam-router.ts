import type { RequestHandler } from 'express';
import { VERSION } from '../version.ts';
import { encodeAddress, encodePool } from './encode.ts';
import { type CallContext, Methods } from './methods.ts';
import { releaseAddress, releasePool, requestAddress, requestPool } from './schemas/ipam.ts';
import type { IpamDriver } from './types.ts';

/** The methods of `IpamDriver`. */
export const ipamRouter = (ipam: IpamDriver, context: CallContext): RequestHandler => {
  const methods = new Methods('IpamDriver', context);
  methods.bare('GetCapabilities', call => {
    call.about(`tsnet ${VERSION}`);
    ipam.registered();
    return { RequiresMACAddress: false, RequiresRequestReplay: true };
  });
  methods.bare('GetDefaultAddressSpaces', () => ({
    LocalDefaultAddressSpace: ipam.localSpace,
    GlobalDefaultAddressSpace: ipam.globalSpace,
  }));
  methods.with('RequestPool', {
    schema: requestPool,
    about: request => `pool ${request.pool ?? `of IPv${request.v6 ? 6 : 4} to be chosen`}`,
    handle: async (request, call) => encodePool(await ipam.requestPool(request, call)),
  });
  methods.with('ReleasePool', {
    schema: releasePool,
    about: poolId => `pool ${poolId}`,
    handle: async (poolId, call) => {
      await ipam.releasePool(poolId, call);
      return {};
    },
  });
  methods.with('RequestAddress', {
    schema: requestAddress,
    about: request => `pool ${request.poolId}`,
    handle: async (request, call) => encodeAddress(await ipam.requestAddress(request, call)),
  });
  methods.with('ReleaseAddress', {
    schema: releaseAddress,
    about: request => `pool ${request.poolId}`,
    handle: async (request, call) => {
      await ipam.releaseAddress(request.poolId, request.address, call);
      return {};
    },
  });
  return methods.router;
};
