import { existsSync, readFileSync } from 'node:fs';
import { TsnetError } from '../errors.ts';
import { meetHolder } from '../instance/holder.ts';
import { describeIdentity, type Identity } from '../instance/identity.ts';
import { takePlace } from '../instance/place.ts';
import { lockDirectory } from '../store/lock.ts';
import { VERSION } from '../version.ts';

const STOP =
  'Stop it first: systemctl stop tsnet.socket tsnet.service, or docker plugin disable -f with the name of the plugin.';

/**
 * Keeps every tsnet off this host and off a state directory until it is disposed of: one that ran would put back what is
 * removed.
 * @param socket path of the plugin socket; whoever listens there is a daemon, or systemd about to start one
 * @throws TsnetError INSTANCE_RUNNING, STATE_IN_USE, SOCKET_IN_USE
 */
export async function keepDaemonsOff(directory: string, socket: string): Promise<Disposable> {
  using kept = new DisposableStack();
  const place = await takePlace({ kind: 'daemon', id: String(process.pid), version: VERSION });
  if (place !== undefined) kept.defer(() => place.release());
  else {
    const holder = await whoServes();
    if (holder !== undefined) {
      const what = `${describeIdentity(holder.identity)} serves this host`;
      throw new TsnetError('INSTANCE_RUNNING', what, { remedy: STOP });
    }
  }
  kept.use(lockState(directory));
  // It is not asked who is there: to connect would start the daemon.
  if (isListening(socket, readFileSync('/proc/net/unix', 'utf8'))) {
    const what = `${socket} is listened on, so the next docker command would start the daemon again`;
    throw new TsnetError('SOCKET_IN_USE', what, { remedy: STOP });
  }
  return kept.move();
}

/** The managed plugin that serves this host: what is there is its own, and not a daemon's. */
export async function servingPlugin(): Promise<Identity | undefined> {
  const identity = (await whoServes())?.identity;
  return identity?.kind === 'plugin' ? identity : undefined;
}

/** Nobody is also a user without rights who has bound the name, to no effect. */
async function whoServes(): Promise<{ identity: Identity | undefined } | undefined> {
  const holder = await meetHolder();
  if (holder === 'nobody' || holder === 'stranger') return undefined;
  holder.forget();
  return { identity: holder.identity };
}

/** Keeps daemons off a state directory, if there is one. @throws TsnetError STATE_IN_USE */
export function lockState(directory: string): Disposable | undefined {
  if (!existsSync(directory)) return undefined;
  try {
    const lock = lockDirectory(directory);
    return { [Symbol.dispose]: () => lock.close() };
  } catch (error) {
    if (!(error instanceof TsnetError) || error.code !== 'STATE_IN_USE') throw error;
    throw new TsnetError('STATE_IN_USE', `a daemon runs on ${directory}`, { remedy: STOP, cause: error });
  }
}

/**
 * Whether a Unix socket of this path takes connections.
 * @param table text of /proc/net/unix (proc_net_unix(5)); its flag __SO_ACCEPTCON is 0x10000
 */
export const isListening = (path: string, table: string): boolean =>
  table.split('\n').some(line => {
    const [, , , flags = '', , , , ...name] = line.trim().split(/ +/);
    return name.join(' ') === path && (Number.parseInt(flags, 16) & 0x10000) !== 0;
  });
