import type { Collector } from '../orphans/collector.ts';
import type { DaemonStatus } from '../protocol/admin-router.ts';
import type { StoreHealth } from '../store/health.ts';
import type { Attachments } from './attachments.ts';
import type { State } from './state.ts';

/** How the daemon is, for those who ask. @throws TsnetError STATE_* while the store cannot be read */
export function statusOf(
  state: Pick<State, 'networks' | 'endpointsOf'>,
  { counts }: Pick<Attachments, 'counts'>,
  { collected, suspicions }: Pick<Collector, 'collected' | 'suspicions'>,
  store: { health(): StoreHealth },
): DaemonStatus {
  const networks = state.networks();
  const endpoints = networks.reduce((sum, { id }) => sum + state.endpointsOf(id).length, 0);
  return {
    networks: networks.length,
    endpoints,
    attached: { ...counts },
    orphans: suspicions.list(),
    collected,
    store: store.health(),
  };
}
