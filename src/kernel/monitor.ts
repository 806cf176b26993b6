import { closeSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { eventfd, pollOnWorker, recv, stableBuffer } from './libc.ts';
import { decodeEvent, type KernelEvent } from './monitor-event.ts';
import { MSG_DONTWAIT, NETLINK_ROUTE } from './netlink/constants.ts';
import { decodeMessages } from './netlink/message.ts';
import { NetlinkError } from './netlink/netlink-error.ts';
import { openNetlinkSocket } from './netlink/open-socket.ts';
import { NetworkNamespace } from './netns.ts';

export type {
  AddressEvent,
  KernelEvent,
  LinkEvent,
  NamespaceEvent,
  NeighbourEvent,
  RouteEvent,
} from './monitor-event.ts';

/** Masks of the multicast groups RTNLGRP_* of <linux/rtnetlink.h>. */
const GROUPS = {
  link: 1 << 0,
  neighbour: 1 << 2,
  address: (1 << 4) | (1 << 8),
  route: (1 << 6) | (1 << 10),
  namespace: 1 << 27,
} as const;
export type MonitorGroup = keyof typeof GROUPS;

const { EAGAIN, EINTR, ENOBUFS } = constants.errno;
const EFD_NONBLOCK_CLOEXEC = 0x80800;
const POLLIN = 1;
/**
 * How long news lie unread, in ms. Most are of what a call is doing at that moment: read at once, they would be decoded between its
 * steps, on the thread that the steps wait for.
 */
export const LISTEN_LATER = 15;
/** Datagrams handled before other work of the event loop gets its turn. */
const BATCH = 64;
const RECEIVE_SIZE = 64 * 1024;
const RECEIVE_QUEUE = 4 * 1024 * 1024;

export interface WatchOptions {
  readonly groups: readonly MonitorGroup[];
  /** File of a network namespace; the current one when absent. */
  readonly netnsPath?: string;
  /** Receive queue in bytes: what the kernel keeps while the event loop is busy. */
  readonly queue?: number;
  /** Told when the monitor had to stop by itself; nothing is reported after that. */
  readonly onFailure?: (error: unknown) => void;
}

export interface Monitor {
  /** Ends the watch; resolved when its thread and descriptors are free. May be called twice. */
  close(): Promise<void>;
}

/**
 * Reports changes that the kernel announces (rtnetlink multicast). One thread of libuv's pool waits in poll(2) on the
 * socket and on an eventfd that ends the wait, so nothing wakes up while nothing happens. Events lost because the
 * queue was full come as one `overrun`: read the state anew then.
 * @param onEvent called on the event loop, in the kernel's order; must not throw
 * @throws NamespaceError for a bad path, NetlinkError when the socket cannot be opened
 */
export function watch(options: WatchOptions, onEvent: (event: KernelEvent) => void): Monitor {
  const descriptors = open(options);
  const { socket, stop } = descriptors;
  let closing = false;
  const wake = () => {
    closing = true;
    writeSync(stop, Buffer.from(new BigUint64Array([1n]).buffer));
  };
  // Node joins its worker threads when it exits: without this, exiting would wait for the poll for ever.
  process.once('exit', wake);
  const buffer = stableBuffer(RECEIVE_SIZE);
  const done = loop(descriptors, () => !closing && drain(socket, buffer, () => closing, onEvent))
    .catch(error => options.onFailure?.(error))
    .finally(() => {
      process.removeListener('exit', wake);
      closing = true;
      closeSync(socket);
      closeSync(stop);
    });
  return {
    close() {
      if (!closing) wake();
      return done;
    },
  };
}

interface Descriptors {
  readonly socket: number;
  readonly stop: number;
}

function open(options: WatchOptions): Descriptors {
  const groups = options.groups.reduce((mask, group) => mask | GROUPS[group], 0);
  const namespace = options.netnsPath === undefined ? undefined : NetworkNamespace.open(options.netnsPath);
  try {
    const socket = openNetlinkSocket({
      namespace,
      protocol: NETLINK_ROUTE,
      queue: options.queue ?? RECEIVE_QUEUE,
      groups,
    });
    const stop = eventfd(EFD_NONBLOCK_CLOEXEC);
    if (stop < 0) closeSync(socket);
    return { socket, stop: NetlinkError.check(stop, 'eventfd') };
  } finally {
    namespace?.close();
  }
}

/** Waits for datagrams again and again until `handle` answers false. */
async function loop({ socket, stop }: Descriptors, handle: () => boolean): Promise<void> {
  const fds = stableBuffer(16);
  for (;;) {
    fds.fill(0);
    fds.writeInt32LE(socket, 0);
    fds.writeInt16LE(POLLIN, 4);
    fds.writeInt32LE(stop, 8);
    fds.writeInt16LE(POLLIN, 12);
    const ready = await pollOnWorker(fds);
    if (ready < 0 && ready !== -EINTR) throw new NetlinkError(-ready, 'poll');
    const isEnding = fds.readInt16LE(14) !== 0;
    if (!isEnding) await delay(LISTEN_LATER);
    if (!handle()) return;
  }
}

/** Handles what lies in the queue, a batch at most; poll returns at once for the rest. @returns whether to go on */
function drain(
  socket: number,
  buffer: Buffer,
  stopped: () => boolean,
  onEvent: (event: KernelEvent) => void,
): boolean {
  for (let count = 0; count < BATCH; count++) {
    const length = recv(socket, buffer, MSG_DONTWAIT);
    if (length === -EAGAIN || length === -EINTR) return true;
    if (length === -ENOBUFS) {
      onEvent({ kind: 'overrun' });
      if (stopped()) return false;
      continue;
    }
    NetlinkError.check(length, 'recv');
    for (const message of decodeMessages(buffer.subarray(0, length))) {
      for (const event of decodeEvent(message)) onEvent(event);
      if (stopped()) return false;
    }
  }
  return true;
}
