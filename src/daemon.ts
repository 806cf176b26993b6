import { Calm } from './calm.ts';
import { startWatches } from './daemon-watches.ts';
import { Attachments } from './driver/attachments.ts';
import { backgroundCall } from './driver/background-call.ts';
import { Changes } from './driver/change.ts';
import type { Context } from './driver/context.ts';
import { createDriver } from './driver/driver.ts';
import { listPublished } from './driver/list-published.ts';
import { Runner } from './driver/runner.ts';
import { State } from './driver/state.ts';
import { describeOwner, ownBridges, publishing } from './driver/state-views.ts';
import { statusOf } from './driver/status.ts';
import { viewAttachments, viewEngine } from './engine/client.ts';
import { ContainerNames } from './engine/container-names.ts';
import { Inventory } from './engine/inventory.ts';
import { TsnetError } from './errors.ts';
import { Firewalld } from './host-firewall/firewalld.ts';
import { readGuard } from './host-firewall/ufw.ts';
import { Ipam } from './ipam/ipam.ts';
import { linuxKernel } from './kernel/linux.ts';
import { giveBackMemory } from './kernel/memory.ts';
import { keepFlows } from './kernel/nft/flow-keeper.ts';
import { Nft } from './kernel/nft/nft.ts';
import { Rtnetlink } from './kernel/rtnetlink/rtnetlink.ts';
import type { Log } from './log.ts';
import { createApp } from './protocol/app.ts';
import { listen } from './protocol/server.ts';
import { Expectations } from './reconcile/expectations.ts';
import { Reconciler } from './reconcile/reconciler.ts';
import { Repairer } from './reconcile/repairer.ts';
import { openStore } from './store/open.ts';

export interface DaemonOptions {
  /** Path of the plugin socket. */
  readonly socket: string;
  /** Directory of the store. */
  readonly state: string;
  /** Path of the engine's API socket, for the names of networks; empty: do not ask. */
  readonly dockerSocket: string;
  /** Milliseconds until a call is given up. */
  readonly deadlineMs: number;
  readonly log: Log;
}

export interface Daemon {
  /** Ends the calls under way and stops; containers and their links stay as they are. */
  close(): Promise<void>;
}

/**
 * Puts the parts together: the only place that knows them all.
 * @throws TsnetError STATE_IN_USE, SOCKET_IN_USE, SOCKET_PATH, or FIREWALL where nftables cannot be used at all; a store that cannot be opened is
 *   no reason not to start, for an engine without its driver waits 15 s with every command
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { log } = options;
  const store = openStore(options.state);
  const rtnetlink = Rtnetlink.open();
  const nft = Nft.open();
  const state = new State(store);
  const kernel = linuxKernel(rtnetlink, nft, {
    readGuard,
    describeOwner: id => describeOwner(state, id, names.nameOf(id)),
    onError: error => log.warn(`in the background: ${String(error)}`),
  });

  refuseSecondDaemon(state);
  const flows = await keepFlows().catch((error: unknown) => {
    log.warn(`a flush of nftables would end connections to published ports: ${String(error)}`);
    return undefined;
  });
  const runner = new Runner();
  const expectations = new Expectations();
  const reconciler = new Reconciler({ state, runner, kernel, expectations, log });
  const changes = new Changes(kernel, expectations);
  const names = new ContainerNames({
    log,
    endpoints: () => publishing(state),
    view: networks => viewAttachments(options.dockerSocket, networks),
  });
  const firewalld = new Firewalld(() => ownBridges(state));
  const zones = new Repairer(async () => {
    const { bound, released, problem } = await firewalld.settle();
    if (bound.length + released.length > 0) log.info('bridges in firewalld', { bound, released });
    if (problem !== undefined) log.warn(`firewalld: ${problem}`);
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
    },
    deleted: () => zones.repair('a network was deleted'),
    published: () => {
      if (options.dockerSocket !== '') names.refresh();
    },
    undone: id => inventory.suspect(id),
  };
  const driver = createDriver(context, attachments);
  const inventory = new Inventory({
    state,
    store,
    runner,
    log,
    view: () => viewEngine(options.dockerSocket),
    remove: id => driver.deleteNetwork(id, backgroundCall('network removed by the engine', log)),
  });

  let restored = false;
  const ready = async () => {
    if (restored) return;
    await reconciler.restored();
    if (restored) return;
    restored = true;
    if (options.dockerSocket !== '') {
      inventory.start();
      names.refresh();
    }
  };

  // Listening comes before restoring: the engine waits for a socket that is there, and fails on one that is not.
  const app = createApp({
    driver,
    ipam: new Ipam(store),
    admin: { published: () => listPublished(state), status: () => statusOf(state, attachments) },
    log,
    deadlineMs: options.deadlineMs,
    ready,
  });
  const server = await listen({ app, socketPath: options.socket, log });
  const calm = new Calm(() => {
    giveBackMemory().catch((error: unknown) => log.warn(`memory cannot be given back: ${String(error)}`));
  });
  calm.disturb();
  server.server.on('request', () => calm.disturb());

  const watches = await startWatches({ kernel, rtnetlink, nft, state, expectations, reconciler, zones, log });
  await ready().catch((error: unknown) => log.error(`the host is not restored yet: ${String(error)}`));
  zones.repair('start');

  return {
    async close() {
      calm.close();
      inventory.close();
      names.close();
      watches.quiet();
      zones.close();
      await server.close();
      await watches.close();
      await kernel.close();
      await nft.close();
      await flows?.close();
      rtnetlink.close();
      store.close();
    },
  };
}

/** Before the socket is touched: of two daemons started at once, the one that holds the state keeps the socket. */
function refuseSecondDaemon(state: State): void {
  try {
    state.load();
  } catch (error) {
    if (error instanceof TsnetError && error.code === 'STATE_IN_USE') throw error;
  }
}
