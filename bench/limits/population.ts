import type { BareDaemon } from './bare-daemon.ts';
import type { BareHost } from './bare-host.ts';
import { attach, createNetwork, type Place, placeOn, type TestNetwork, testNetwork } from './containers.ts';

/** Calls under way at a time while a host is being filled. */
const PARALLEL = 16;

/** Networks with containers on them. */
export interface Population {
  readonly networks: readonly TestNetwork[];
  readonly places: readonly Place[];
}

/**
 * Fills a host.
 * @param each number of containers on every network
 */
export async function populate(
  host: BareHost,
  daemon: BareDaemon,
  { networks: count, each }: { readonly networks: number; readonly each: number },
): Promise<Population> {
  const prefix = each > 200 ? 20 : 24;
  const networks = Array.from({ length: count }, (_, k) => testNetwork(k, prefix));
  const sandboxes = await host.sandboxes('c', count * each);
  const places = networks.flatMap((network, k) =>
    Array.from({ length: each }, (_, j) => placeOn(network, j, sandboxes[k * each + j] ?? '')),
  );
  await inParallel(networks, network => createNetwork(daemon.client, network));
  await inParallel(places, place => attach(daemon.client, place));
  return { networks, places };
}

/** Does something to each, some at a time. */
export async function inParallel<T>(all: readonly T[], action: (one: T) => Promise<unknown>): Promise<void> {
  const rest = all.values();
  const worker = async () => {
    for (const one of rest) await action(one);
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
}
