import { statSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { Calm } from './calm.ts';
import { type Core, openCore } from './daemon-core.ts';
import { State } from './driver/state.ts';
import { TsnetError } from './errors.ts';
import type { Identity } from './instance/identity.ts';
import { lateDriver } from './instance/late-driver.ts';
import { refuseLeftLinks } from './instance/left-links.ts';
import { ownPluginId, PlainName, removeDeadName } from './instance/plain-name.ts';
import { Starter } from './instance/starter.ts';
import { Turn } from './instance/turn.ts';
import { Ipam } from './ipam/ipam.ts';
import { giveBackMemory } from './kernel/memory.ts';
import type { Log } from './log.ts';
import { Heard } from './orphans/heard.ts';
import { seenIn } from './orphans/in-use.ts';
import { listenToIpam } from './orphans/listen.ts';
import { isSandboxThere } from './orphans/sandbox-there.ts';
import { present } from './present.ts';
import { isActivated } from './protocol/activation.ts';
import { createApp } from './protocol/app.ts';
import { type Listener, listen } from './protocol/server.ts';
import { openStore } from './store/open.ts';
import { VERSION } from './version.ts';

export interface DaemonOptions {
  /** Path of the plugin socket. */
  readonly socket: string;
  /** Directory of the store. */
  readonly state: string;
  /** Path of the engine's API socket, for the names of networks; empty, or something else than a socket there: do not ask. */
  readonly dockerSocket: string;
  /** Milliseconds from the report that the engine does not know something to its removal; Infinity: nothing is removed. */
  readonly orphanGraceMs: number;
  /** Milliseconds until a call is given up. */
  readonly deadlineMs: number;
  /** In a managed plugin: where it has the host's /run/docker. */
  readonly managed?: string;
  readonly log: Log;
}

export interface Daemon {
  /** Resolves when the host has been restored, or could not be at the first attempt. Never rejects. */
  readonly started: Promise<void>;
  /** Ends the calls under way and stops; containers and their links stay as they are. */
  close(): Promise<void>;
}

/**
 * Answers the engine from now on, and works on the host as soon as it can: what stands in the way of that is told with
 * every call, and tried again by itself. An engine without its driver waits 15 s with every command.
 *
 * A managed plugin does so whatever is wrong, for the engine starts one that has ended before it listened once and never again.
 * So does a daemon whose socket systemd holds: calls wait there, and one that ended would be started again every second.
 * @throws TsnetError INSTANCE_RUNNING, STATE_IN_USE, SOCKET_IN_USE or SOCKET_PATH, unless managed or started by its socket
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { log, managed, socket, orphanGraceMs } = options;
  const store = openStore(options.state, options.log);
  const state = new State(store);
  const ipam = new Ipam(store, seenIn(state, isSandboxThere));
  const heard = new Heard();
  const pluginId = managed === undefined ? undefined : await ownPluginId(managed, socket);
  const turn = new Turn(identify(managed !== undefined, pluginId), log, () => void starter.retry());
  const name = plainName(options, pluginId);

  let registrations = 0;
  let isClosing = false;
  let restoring: Promise<void> | undefined;
  const starter = new Starter<Core>(async () => {
    await turn.take(former => refuseLeftLinks(state, former));
    void name?.lay();
    const dockerSocket = engineSocket(options.dockerSocket);
    const core = await openCore({ store, state, ipam, heard, log, dockerSocket, orphanGraceMs });
    for (; registrations > 0; registrations--) core.driver.registered();
    restoring = core.ready()?.catch((error: unknown) => {
      // The next start goes on with it.
      if (isClosing) log.info('stopped before the host was restored');
      else log.error(`the host is not restored yet: ${String(error)}`);
    });
    return core;
  }, log);
  const core = (): Core => {
    if (starter.value !== undefined) return starter.value;
    throw starter.failure ?? new TsnetError('STARTING', 'tsnet has not opened what it works with');
  };
  const registered = () => {
    if (starter.value === undefined) registrations++;
    else {
      starter.value.driver.registered();
      // An engine that has just started may have found the plugin with its link gone.
      void name?.lay();
    }
  };

  const app = createApp({
    driver: lateDriver(() => core().driver, registered),
    ipam: listenToIpam(ipam, heard),
    admin: { published: () => core().admin.published(), status: () => core().admin.status() },
    log,
    deadlineMs: options.deadlineMs,
    ready: () =>
      starter.value === undefined ? starter.get().then(core => core.ready()) : starter.value.ready(),
  });
  const open = () => listenCoded(app, socket, log);
  let server: Listener;
  if (managed !== undefined) server = await persistently(open, log);
  else if (isActivated()) server = await open();
  else {
    // Before the socket is touched: of two daemons started at once, the one that has the place and the state keeps it.
    refuseSecondDaemon(state);
    await turn.take();
    await removeDeadName(socket);
    server = await open();
  }
  const calm = new Calm(() => {
    giveBackMemory().then(
      () => log.debug('memory given back'),
      (error: unknown) => log.warn(`memory cannot be given back: ${String(error)}`),
    );
  });
  calm.disturb();
  server.server.on('request', () => calm.disturb());

  return {
    started: starter.retry().then(() => restoring),
    async close() {
      isClosing = true;
      calm.close();
      await name?.remove();
      turn.stopWaiting();
      starter.value?.quiet();
      await server.close();
      await (await starter.close())?.[Symbol.asyncDispose]();
      store.close();
      turn.close();
    },
  };
}

const identify = (isPlugin: boolean, pluginId: string | undefined): Identity =>
  isPlugin
    ? { kind: 'plugin', version: VERSION, ...present({ id: pluginId }) }
    : { kind: 'daemon', version: VERSION, id: String(process.pid) };

function plainName({ managed, socket, log }: DaemonOptions, pluginId: string | undefined) {
  if (managed === undefined) return undefined;
  if (pluginId !== undefined) return PlainName.of(pluginId, managed, socket, log);
  log.warn('the driver is known as NAME:TAG only: the folder of its socket is not among the plugins', {
    looked: managed,
  });
  return undefined;
}

/** The engine's API, unless something else is in its place: a managed plugin that was not given it has /dev/null there. */
function engineSocket(path: string): string {
  const found = path === '' ? undefined : statSync(path, { throwIfNoEntry: false });
  return found === undefined || found.isSocket() ? path : '';
}

function refuseSecondDaemon(state: State): void {
  try {
    state.load();
  } catch (error) {
    if (error instanceof TsnetError && error.code === 'STATE_IN_USE') throw error;
  }
}

/** @throws TsnetError SOCKET_IN_USE, SOCKET_PATH */
async function listenCoded(app: RequestListener, socketPath: string, log: Log): Promise<Listener> {
  try {
    return await listen({ app, socketPath, log });
  } catch (cause) {
    if (cause instanceof TsnetError) throw cause;
    throw new TsnetError(
      'SOCKET_PATH',
      `no socket can be made at ${socketPath}: ${(cause as Error).message}`,
      {
        cause,
        remedy: 'Make its folder writable for root, or name another path with --socket.',
      },
    );
  }
}

/** Milliseconds between attempts to listen. */
const LISTEN_PAUSE = 1000;

async function persistently<T>(open: () => Promise<T>, log: Log): Promise<T> {
  for (;;) {
    try {
      return await open();
    } catch (error) {
      log.error(String(error));
      await delay(LISTEN_PAUSE);
    }
  }
}
