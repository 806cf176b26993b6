import { startWatches } from './daemon-watches.ts';
import { Attachments } from './driver/attachments.ts';
import { backgroundCall } from './driver/background-call.ts';
import { Changes } from './driver/change.ts';
import type { Context } from './driver/context.ts';
import { createDriver } from './driver/driver.ts';
import { listPublished } from './driver/list-published.ts';
import { Runner } from './driver/runner.ts';
import type { State } from './driver/state.ts';
import { describeOwner, ownBridges, publishing } from './driver/state-views.ts';
import { statusOf } from './driver/status.ts';
import { SwarmLeftovers } from './driver/swarm-leftovers.ts';
import { viewAttachments, viewEngine } from './engine/client.ts';
import { ContainerNames } from './engine/container-names.ts';
import { Inventory } from './engine/inventory.ts';
import { engineListing } from './engine/listing.ts';
import { OwnEngine } from './engine/own-engine.ts';
import { Firewalld } from './host-firewall/firewalld.ts';
import { readGuard } from './host-firewall/ufw.ts';
import { checkCapabilities } from './instance/capabilities.ts';
import { refuseStrangersLinks } from './instance/first-meeting.ts';
import type { Ipam } from './ipam/ipam.ts';
import { linuxKernel } from './kernel/linux.ts';
import { keepFlows } from './kernel/nft/flow-keeper.ts';
import { Nft } from './kernel/nft/nft.ts';
import { Rtnetlink } from './kernel/rtnetlink/rtnetlink.ts';
import type { Log } from './log.ts';
import { Collector } from './orphans/collector.ts';
import type { Heard } from './orphans/heard.ts';
import { listenToDriver } from './orphans/listen.ts';
import { remover } from './orphans/remove.ts';
import { isSandboxThere } from './orphans/sandbox-there.ts';
import { Sweep } from './orphans/sweep.ts';
import type { Admin } from './protocol/admin-router.ts';
import type { NetworkDriver } from './protocol/types.ts';
import { Arrivals } from './reconcile/arrivals.ts';
import { Expectations } from './reconcile/expectations.ts';
import { Reconciler } from './reconcile/reconciler.ts';
import { Repairer } from './reconcile/repairer.ts';
import type { StoreHealth } from './store/health.ts';
import type { Store } from './store/types.ts';

export interface CoreOptions {
  readonly store: Store & { health(): StoreHealth };
  readonly state: State;
  /** Path of the engine's API socket; empty: do not ask. */
  readonly dockerSocket: string;
  /** Milliseconds from the report that the engine does not know something to its removal; Infinity: never. */
  readonly orphanGraceMs: number;
  readonly ipam: Ipam;
  /** What calls have spoken of, those to IPAM included. */
  readonly heard: Heard;
  readonly log: Log;
}

/** All of the daemon that needs the kernel. */
export interface Core extends AsyncDisposable {
  readonly driver: NetworkDriver;
  readonly admin: Admin;
  /** Resolves when the host has been restored. @throws what the restore fails with; the next call tries again */
  ready(): Promise<void> | undefined;
  /** Starts no repair from here on. */
  quiet(): void;
}

/**
 * Puts the parts together that work on the host, and begins to watch it. Nothing of it stays open when that fails.
 * @throws TsnetError CAPABILITY, FIREWALL where nftables cannot be used at all, NetlinkError
 */
export async function openCore(options: CoreOptions): Promise<Core> {
  const { store, state, dockerSocket, ipam, heard, log } = options;
  checkCapabilities(log);
  await using opened = new AsyncDisposableStack();
  const rtnetlink = opened.use(Rtnetlink.open());
  const nft = opened.adopt(Nft.open(), one => one.close());
  const names = new ContainerNames({
    log,
    endpoints: () => publishing(state),
    view: networks => viewAttachments(dockerSocket, networks),
  });
  const onError = (error: unknown) => log.warn(`in the background: ${String(error)}`);
  const ownerOf = (id: string) => describeOwner(state, id, names.nameOf(id));
  const linux = linuxKernel(rtnetlink, nft, { readGuard, describeOwner: ownerOf, onError });
  const kernel = opened.adopt(linux, one => one.close());
  opened.adopt(await keepFlowsIfPossible(log), one => one?.close());

  const runner = new Runner();
  const expectations = new Expectations();
  const mayBegin = () => refuseStrangersLinks(state, store);
  const undone = () => collector.refresh();
  const reconciler = new Reconciler({ state, runner, kernel, expectations, log, mayBegin, undone });
  const changes = new Changes(kernel, expectations);
  const firewalld = new Firewalld(() => ownBridges(state));
  const zones = new Repairer(async () => {
    const { bound, released, problem } = await firewalld.settle();
    if (bound.length + released.length > 0) log.info('bridges in firewalld', { bound, released });
    if (problem !== undefined) log.warn(`firewalld: ${problem}`);
  }, log);
  const dockerUser = new Repairer(async () => {
    const { changed, problem } = await kernel.openDockerUser();
    if (changed) log.info('rule in DOCKER-USER put there');
    if (problem !== undefined) log.warn(`DOCKER-USER: ${problem}`);
  }, log);
  const attachments = new Attachments({ kernel, state });
  const context: Context = {
    state,
    runner,
    kernel,
    changes,
    created: () => {
      inventory.refresh();
      zones.repair('a network was created');
      // Of changes to the tables of the old iptables nobody tells.
      dockerUser.repair('a network was created');
    },
    deleted: () => zones.repair('a network was deleted'),
    published: () => {
      if (dockerSocket !== '') names.refresh();
    },
    undone,
  };
  const driver = createDriver(context, attachments);
  const ownEngine = new OwnEngine(store);
  const view = dockerSocket === '' ? undefined : () => viewEngine(dockerSocket);
  const inventory = new Inventory({ state, ownEngine, runner, log, view });
  const collector = new Collector({
    state,
    held: () => ipam.held(),
    heard,
    listing: dockerSocket === '' ? undefined : engineListing(dockerSocket),
    ownEngine,
    isThere: isSandboxThere,
    remove: remover(driver, ipam, log),
    graceMs: options.orphanGraceMs,
    log,
  });
  const repairer = new Repairer(loss => reconciler.run(loss), log);
  const repair = (loss: string) => repairer.repair(loss);
  const sweep = new Sweep({ state, kernel, isThere: isSandboxThere, repair, log });
  const arrivals = new Arrivals({ state, runner, kernel, repair, log });

  const remove = (id: string) => driver.deleteNetwork(id, backgroundCall('network left by a swarm', log));
  const leftovers = new SwarmLeftovers({ state, kernel, log, remove });

  let restored = false;
  const ready = () => (restored ? undefined : restore());
  const restore = async () => {
    await reconciler.restored();
    if (restored) return;
    restored = true;
    zones.repair('start');
    collector.refresh();
    if (dockerSocket !== '') {
      inventory.refresh();
      names.refresh();
    }
  };

  const parts = {
    kernel,
    rtnetlink,
    nft,
    state,
    expectations,
    arrivals,
    repairer,
    dockerUser,
    zones,
    sweep,
    log,
  };
  const watches = opened.adopt(await startWatches(parts), one => one.close());
  const all = opened.move();
  const heeding: NetworkDriver = {
    ...driver,
    registered() {
      driver.registered();
      // An engine that has just started may be another one, or of another version.
      inventory.refresh();
      collector.engineStarted();
      leftovers.engineStarted();
    },
    createNetwork(request, call) {
      leftovers.wanted(request.networkId);
      return driver.createNetwork(request, call);
    },
    createEndpoint(request, call) {
      leftovers.wanted(request.networkId);
      return driver.createEndpoint(request, call);
    },
  };
  return {
    driver: listenToDriver(heeding, heard, () => {
      ipam.replayed();
      collector.stir();
    }),
    admin: {
      published: () => listPublished(state),
      status: () => statusOf(state, attachments, collector, store),
    },
    ready,
    quiet() {
      leftovers.close();
      inventory.close();
      collector.close();
      names.close();
      watches.quiet();
      dockerUser.close();
      zones.close();
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

async function keepFlowsIfPossible(log: Log) {
  return keepFlows().catch((error: unknown) => {
    log.warn(`a flush of nftables would end connections to published ports: ${String(error)}`);
    return undefined;
  });
}
