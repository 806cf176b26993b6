import { bareOf } from '../addresses.ts';
import { parsePoolId } from '../ipam/pool-id.ts';
import type { EndpointRef, IpamDriver, NetworkDriver } from '../protocol/types.ts';
import type { Heard } from './heard.ts';
import { addressThing, endpointThing, networkThing, poolThing } from './orphan.ts';

/**
 * The driver, with a note taken of what each call is about. Registrations are about nothing.
 * @param onCall hears of each call by which the engine changes something, before it is carried out
 */
export function listenToDriver(driver: NetworkDriver, heard: Heard, onCall: () => void): NetworkDriver {
  const during = <T>(things: readonly string[], call: () => Promise<T>): Promise<T> => {
    onCall();
    return heard.during(things, call);
  };
  const of = ({ networkId, endpointId }: EndpointRef) => [networkThing(networkId), endpointThing(endpointId)];
  return {
    ...driver,
    gwAllocCheck: (flags, call) => during([], () => driver.gwAllocCheck(flags, call)),
    createNetwork: (request, call) =>
      during([networkThing(request.networkId)], () => driver.createNetwork(request, call)),
    deleteNetwork: (id, call) => during([networkThing(id)], () => driver.deleteNetwork(id, call)),
    createEndpoint: (request, call) => during(of(request), () => driver.createEndpoint(request, call)),
    deleteEndpoint: (ref, call) => during(of(ref), () => driver.deleteEndpoint(ref, call)),
    operInfo: (ref, call) => heard.during(of(ref), () => driver.operInfo(ref, call)),
    join: (request, call) => during(of(request), () => driver.join(request, call)),
    leave: (ref, call) => during(of(ref), () => driver.leave(ref, call)),
    program: (request, call) => during(of(request), () => driver.program(request, call)),
    revoke: (ref, call) => during(of(ref), () => driver.revoke(ref, call)),
  };
}

/** The same for IPAM, whose calls may be about a pool or an address that only their answer names. */
export function listenToIpam(ipam: IpamDriver, heard: Heard): IpamDriver {
  const mark = (poolId: string, address?: string) => {
    heard.mark(poolThing(poolId));
    const name = parsePoolId(poolId);
    if (name !== undefined && address !== undefined)
      heard.mark(addressThing({ ...name, address: bareOf(address) }));
  };
  return {
    localSpace: ipam.localSpace,
    globalSpace: ipam.globalSpace,
    registered: () => ipam.registered(),
    async requestPool(request, call) {
      const answer = await ipam.requestPool(request, call);
      mark(answer.poolId);
      return answer;
    },
    async releasePool(poolId, call) {
      mark(poolId);
      await ipam.releasePool(poolId, call);
    },
    async requestAddress(request, call) {
      const address = await ipam.requestAddress(request, call);
      mark(request.poolId, address);
      return address;
    },
    async releaseAddress(poolId, address, call) {
      mark(poolId, address);
      await ipam.releaseAddress(poolId, address, call);
    },
  };
}
