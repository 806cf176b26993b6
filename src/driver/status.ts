import type { DaemonStatus } from '../protocol/admin-router.ts';
import type { Attachments } from './attachments.ts';
import type { State } from './state.ts';

/** How the daemon is, for those who ask. @throws TsnetError STATE_* while the store cannot be read */
export function statusOf(
  state: Pick<State, 'networks' | 'endpointsOf'>,
  { counts }: Pick<Attachments, 'counts'>,
): DaemonStatus {
  const networks = state.networks();
  const endpoints = networks.reduce((sum, { id }) => sum + state.endpointsOf(id).length, 0);
  return { networks: networks.length, endpoints, attached: { ...counts } };
}
