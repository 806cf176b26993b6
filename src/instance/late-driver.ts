import type { NetworkDriver } from '../protocol/types.ts';

/**
 * A driver that is there before what it works with. It is asked nothing until that has been opened, but for registrations:
 * those of before are made up for.
 * @param driver throws as long as there is none
 */
export function lateDriver(driver: () => NetworkDriver, registered: () => void): NetworkDriver {
  return {
    registered,
    gwAllocCheck: (flags, call) => driver().gwAllocCheck(flags, call),
    createNetwork: (request, call) => driver().createNetwork(request, call),
    deleteNetwork: (id, call) => driver().deleteNetwork(id, call),
    createEndpoint: (request, call) => driver().createEndpoint(request, call),
    deleteEndpoint: (ref, call) => driver().deleteEndpoint(ref, call),
    operInfo: (ref, call) => driver().operInfo(ref, call),
    join: (request, call) => driver().join(request, call),
    leave: (ref, call) => driver().leave(ref, call),
    program: (request, call) => driver().program(request, call),
    revoke: (ref, call) => driver().revoke(ref, call),
  };
}
