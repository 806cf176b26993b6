import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { closeSync } from 'node:fs';
import { familyOf } from '../addresses.ts';
import { duplicate } from '../kernel/libc.ts';
import { NetlinkError } from '../kernel/netlink/netlink-error.ts';
import { onlySpareLeft } from '../kernel/ports/descriptors.ts';
import { setReceiveBuffer } from '../kernel/ports/sockets.ts';
import { awaitFirstDatagram, forgoArrival } from './first-arrival.ts';
import { admission, type Relay, type RelayTarget } from './relay.ts';
import { lookup, RECEIVE_BUFFER, UdpListeners } from './udp-listeners.ts';

export interface UdpRelayLimits {
  /** Milliseconds after which a client is forgotten that nothing comes from or goes to, and a relay without clients sleeps. */
  readonly idle: number;
  /** Clients, each of which has a socket of its own; for one more, or where descriptors are short, the one goes that has been idle for longest. */
  readonly clients: number;
}

/** 90 s is docker-proxy's value. */
const LIMITS: UdpRelayLimits = { idle: 90_000, clients: 4096 };
/** Datagrams of a client kept until its socket is there, and bytes that wait to be sent: more are dropped. */
const MOST_EARLY = 32;
const MOST_QUEUED = 1024 * 1024;

interface Client {
  /** The socket that it sends to, and that its answers must come from. */
  listener: Socket;
  readonly upstream: Socket;
  /** What came before the socket was connected; undefined: it is. */
  early: Buffer[] | undefined;
  readonly timer: NodeJS.Timeout;
}

export interface UdpRelayOptions {
  /** What `fd` is bound to. */
  readonly place: { readonly address: string; readonly port: number };
  readonly target: RelayTarget;
  readonly limits?: UdpRelayLimits;
}

/**
 * Relays UDP datagrams, each client's through a socket of its own, by which the answers are told apart. What is scanned
 * and what is asked for once a day costs no more afterwards than what nobody has ever asked for.
 * @param bound a bound IPv6 socket; the relay's from now on, unless it throws
 * @throws NetlinkError when it cannot be waited on
 */
export function startUdpRelay(
  bound: number,
  { place, target: first, limits = LIMITS }: UdpRelayOptions,
): Relay {
  let target = first;
  let admits = admission(first);
  let listeners: UdpListeners | undefined;
  /** Of the bound socket; where there are listeners, it is theirs. */
  let fd = bound;
  let resting: NodeJS.Timeout | undefined;
  /** In the order of use. */
  const clients = new Map<string, Client>();

  const forget = (key: string) => {
    const client = clients.get(key);
    if (client === undefined) return;
    clients.delete(key);
    clearTimeout(client.timer);
    client.upstream.close();
  };

  const touch = (key: string, client: Client) => {
    clients.delete(key);
    clients.set(key, client);
    client.timer.refresh();
  };

  const admit = (key: string, listener: Socket, { address, port }: RemoteInfo): Client | undefined => {
    const [oldest] = clients.keys();
    if (clients.size >= limits.clients || onlySpareLeft()) {
      if (oldest === undefined) return undefined;
      forget(oldest);
    }
    const upstream = createSocket({ type: `udp${familyOf(target.address)}`, lookup });
    const timer = setTimeout(forget, limits.idle, key).unref();
    const client: Client = { listener, upstream, early: [], timer };
    upstream.on('error', () => {
      // No descriptor or no route: the next datagram begins anew. Later, it is the container that refuses (ICMP), as it
      // may while it starts.
      if (client.early !== undefined) forget(key);
    });
    upstream.on('message', answer => {
      touch(key, client);
      if (listeners?.has(client.listener)) send(client.listener, answer, port, address);
    });
    upstream.once('connect', () => {
      for (const datagram of client.early ?? []) send(upstream, datagram);
      client.early = undefined;
    });
    upstream.unref();
    upstream.connect(target.port, target.address);
    clients.set(key, client);
    return client;
  };

  const onDatagram = (listener: Socket, datagram: Buffer, from: RemoteInfo) => {
    const key = `${from.address} ${from.port}`;
    let client = clients.get(key);
    if (client !== undefined) {
      touch(key, client);
      client.listener = listener;
    } else if (admits(from.address)) {
      listeners?.look();
      client = admit(key, listener, from);
    }
    if (client === undefined) return;
    if (client.early === undefined) send(client.upstream, datagram);
    else if (client.early.length < MOST_EARLY) client.early.push(datagram);
  };

  const wake = () => {
    listeners = openListeners(fd, place, onDatagram);
    listeners?.readWaiting();
    resting = setTimeout(rest, limits.idle).unref();
  };

  const rest = () => {
    if (clients.size > 0 || !sleep()) resting?.refresh();
  };

  /** Leaves of all sockets the bound one, which libuv closes and another descriptor keeps. @returns false where there is none */
  const sleep = (): boolean => {
    const kept = listeners === undefined ? fd : duplicate(fd);
    if (kept < 0) return false;
    try {
      awaitFirstDatagram(kept, wake);
    } catch {
      if (kept !== fd) closeSync(kept);
      return false;
    }
    void listeners?.close();
    listeners = undefined;
    fd = kept;
    return true;
  };

  // What comes until somebody reads it waits in the socket.
  NetlinkError.check(setReceiveBuffer(fd, RECEIVE_BUFFER), 'setsockopt SO_RCVBUF');
  awaitFirstDatagram(fd, wake);

  const forgetAll = () => {
    for (const key of [...clients.keys()]) forget(key);
  };
  return {
    retarget(next) {
      admits = admission(next);
      target = next;
      forgetAll();
    },
    async close() {
      clearTimeout(resting);
      forgetAll();
      if (listeners !== undefined) {
        await listeners.close();
        return;
      }
      forgoArrival(fd);
      closeSync(fd);
    },
  };
}

/** @returns undefined where there is no memory for it: what comes is lost, the relay and the process are not */
function openListeners(...args: ConstructorParameters<typeof UdpListeners>): UdpListeners | undefined {
  try {
    return new UdpListeners(...args);
  } catch {
    return undefined;
  }
}

/** Failures are losses, which UDP has anyway. @param to absent on a connected socket */
function send(socket: Socket, datagram: Buffer, port?: number, address?: string): void {
  if (socket.getSendQueueSize() > MOST_QUEUED) return;
  if (port === undefined || address === undefined) socket.send(datagram, () => {});
  else socket.send(datagram, port, address, () => {});
}
