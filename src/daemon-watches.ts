import type { State } from './driver/state.ts';
import { foreignLinks } from './driver/state-views.ts';
import { TABLE_NAME } from './firewall/skeleton.ts';
import { UfwWatch } from './host-firewall/ufw-watch.ts';
import { watch } from './kernel/monitor.ts';
import type { Nft } from './kernel/nft/nft.ts';
import { NftWatch } from './kernel/nft/watch.ts';
import type { Rtnetlink } from './kernel/rtnetlink/rtnetlink.ts';
import type { Log } from './log.ts';
import type { Sweep } from './orphans/sweep.ts';
import type { Arrivals } from './reconcile/arrivals.ts';
import type { Expectations } from './reconcile/expectations.ts';
import { LossDetector } from './reconcile/loss-detector.ts';
import type { Repairer } from './reconcile/repairer.ts';

export interface WatchedParts {
  readonly rtnetlink: Rtnetlink;
  readonly nft: Nft;
  readonly state: State;
  readonly expectations: Expectations;
  /** Sees to containers whose links have come. */
  readonly arrivals: Arrivals;
  /** Puts the whole host right. */
  readonly repairer: Repairer;
  /** Sees to the rule in DOCKER-USER. */
  readonly dockerUser: Repairer;
  /** Settles tsnet's bridges in firewalld. */
  readonly zones: Repairer;
  /** Looks whether anything is left of a container that is gone. */
  readonly sweep: Sweep;
  readonly log: Log;
}

export interface Watches {
  /** Starts no repair from here on. */
  quiet(): void;
  close(): Promise<void>;
}

/** Listens for what others do to the host, and has it put right. @throws TsnetError FIREWALL, NetlinkError */
export async function startWatches(parts: WatchedParts): Promise<Watches> {
  const { rtnetlink, nft, state, expectations, arrivals, repairer, dockerUser, zones, sweep, log } = parts;
  const onFailure = (error: unknown) =>
    log.error(`changes of the kernel are no longer seen: ${String(error)}`);

  const detector = new LossDetector(expectations, () => foreignLinks(state));
  const groups = ['link', 'address', 'route', 'neighbour', 'namespace'] as const;
  const monitor = watch({ groups, onFailure }, event => {
    const arrival = detector.arrivalIn(event);
    const loss = detector.lossIn(event);
    if (loss !== undefined) repairer.repair(loss);
    if (arrival !== undefined) void arrivals.settle(arrival);
    if (event.kind === 'namespace') sweep.namespaceGone();
    else if (event.kind === 'link' && event.change === 'set') sweep.linkSet(event.link.alias);
  });
  const nftWatch = new NftWatch({
    own: () => nft.ports,
    // What others do to other tables is no concern.
    onChange: change => {
      const concerns = (table: string) => change === 'unknown' || change.table === table;
      if (concerns(TABLE_NAME)) repairer.repair('the firewall table was changed');
      if (concerns('filter')) dockerUser.repair('the table filter was changed');
      if (concerns('firewalld')) zones.repair('firewalld changed its table');
    },
    onError: onFailure,
  });
  const ufwWatch = new UfwWatch({ onChange: () => repairer.repair("ufw's rules were changed") });
  detector.learn(await rtnetlink.links());

  return {
    quiet() {
      repairer.close();
      sweep.close();
      ufwWatch.close();
    },
    async close() {
      await Promise.all([monitor.close(), nftWatch.close()]);
    },
  };
}
