import { backgroundCall } from '../driver/background-call.ts';
import { formatPoolId } from '../ipam/pool-id.ts';
import type { Log } from '../log.ts';
import type { IpamDriver, NetworkDriver } from '../protocol/types.ts';
import type { Orphan } from './orphan.ts';

/**
 * Removes orphans by the calls that the engine would have made: through desired state, diff and apply like any other removal.
 * @returns what removes one; it begins before it returns
 */
export function remover(
  driver: Pick<NetworkDriver, 'deleteNetwork' | 'deleteEndpoint'>,
  ipam: Pick<IpamDriver, 'releaseAddress' | 'releasePool'>,
  log: Log,
): (orphan: Orphan) => Promise<void> {
  return orphan => {
    const call = backgroundCall(`${orphan.words} removed`, log);
    switch (orphan.kind) {
      case 'network':
        return driver.deleteNetwork(orphan.network.id, call);
      case 'endpoint': {
        const { id: endpointId, networkId } = orphan.endpoint;
        return driver.deleteEndpoint({ networkId, endpointId }, call);
      }
      case 'address':
        return ipam.releaseAddress(formatPoolId(withoutRange(orphan.lease)), orphan.lease.address, call);
      case 'pool':
        return ipam.releasePool(orphan.pool.id, call);
    }
  };
}

/** All ranges of a pool have its addresses in common. */
const withoutRange = ({ space, pool }: { readonly space: string; readonly pool: string }) => ({
  space,
  pool,
});
