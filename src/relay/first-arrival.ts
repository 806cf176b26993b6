import { epollAddOnce, epollCreate, epollReady, epollRemove, fcntl } from '../kernel/libc.ts';
import { NetlinkError } from '../kernel/netlink/netlink-error.ts';
import { listen } from '../kernel/ports/sockets.ts';

const BACKLOG = 511;

// Numbers of <asm-generic/fcntl.h>.
const F_SETFL = 4;
const F_SETOWN = 8;
const F_SETSIG = 10;
const O_ASYNC = 0o20000;

/** Unlike SIGIO, it is ignored by a process that is about to exit and has no handler any more. */
const SIGNAL = 'SIGURG';
const SIGNAL_NUMBER = 23;

/** Sockets handled before other work of the event loop gets its turn. */
const BATCH = 64;

/** Who is to be called, by the descriptor on which nothing has come yet. */
const waiting = new Map<number, () => void>();
let epoll: number | undefined;
/** Whether a look is to be taken without a signal. */
let isLookPlanned = false;

/**
 * Makes a TCP socket listen, and calls once when the first connection waits to be accepted there. Most ports that are
 * relayed are never asked for: until then such a one costs some bytes, and nothing of Node.js. The kernel tells of
 * what comes to any of them by one signal (O_ASYNC, fcntl(2)) and of which they are by an epoll instance. That takes
 * no thread of libuv's pool, and unlike a call that waits on one it does not keep the process.
 * @param fd a bound socket; see {@link forgoArrival}
 * @param onConnection called on the event loop, at most once; must not throw
 * @throws NetlinkError; the descriptor is not waited for then
 */
export function awaitFirstConnection(fd: number, onConnection: () => void): void {
  // Before it listens, so that no connection comes unannounced.
  const epoll = announce(fd);
  NetlinkError.check(listen(fd, BACKLOG), 'listen');
  // Afterwards, for one that does not listen counts as ready.
  watch(epoll, fd, onConnection);
}

/**
 * The same for a UDP socket and the first datagram, which may be there already.
 * @param onDatagram called on the event loop, at most once; must not throw
 * @throws NetlinkError; the descriptor is not waited for then
 */
export function awaitFirstDatagram(fd: number, onDatagram: () => void): void {
  watch(announce(fd), fd, onDatagram);
  if (isLookPlanned) return;
  isLookPlanned = true;
  setImmediate(look).unref();
}

/** No call will come. Closing the descriptor, which is the caller's next step, takes it out of the kernel's list. */
export function forgoArrival(fd: number): void {
  waiting.delete(fd);
}

/** Has the kernel send a signal for what comes. @returns the epoll instance to tell which it was */
function announce(fd: number): number {
  epoll ??= open();
  NetlinkError.check(fcntl(fd, F_SETOWN, process.pid), 'fcntl F_SETOWN');
  NetlinkError.check(fcntl(fd, F_SETSIG, SIGNAL_NUMBER), 'fcntl F_SETSIG');
  NetlinkError.check(fcntl(fd, F_SETFL, O_ASYNC), 'fcntl F_SETFL');
  return epoll;
}

function watch(epoll: number, fd: number, onArrival: () => void): void {
  NetlinkError.check(epollAddOnce(epoll, fd), 'epoll_ctl');
  waiting.set(fd, onArrival);
}

/** Both stay for as long as the process does; the handler of a signal does not keep it. */
function open(): number {
  const fd = NetlinkError.check(epollCreate(), 'epoll_create1');
  process.on(SIGNAL, look);
  return fd;
}

function look(): void {
  isLookPlanned = false;
  const ready = epoll === undefined ? 0 : epollReady(epoll, BATCH);
  // An error number: there is none for a call on an open descriptor that does not wait.
  if (typeof ready === 'number') return;
  for (const fd of ready) {
    const onArrival = waiting.get(fd);
    if (epoll === undefined || !waiting.delete(fd)) continue;
    // Without signals for those that come later.
    fcntl(fd, F_SETFL, 0);
    // The socket may be waited on again, by another descriptor.
    epollRemove(epoll, fd);
    onArrival?.();
  }
  if (ready.length === BATCH) setImmediate(look).unref();
}
