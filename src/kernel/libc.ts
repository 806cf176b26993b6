import type { KoffiFunc } from 'koffi';
import koffi from './koffi.ts';

/**
 * The few functions of libc that tsnet calls itself. Each answers what the C function answers, or `-errno`.
 * `load(null)` searches the running program, so it finds glibc and musl alike.
 */
const libc = koffi.load(null);

const bindings = {
  socket: libc.func('int socket(int domain, int type, int protocol)'),
  bind: libc.func('int bind(int fd, const void *address, unsigned int length)'),
  getsockname: libc.func('int getsockname(int fd, void *address, void *length)'),
  setsockopt: libc.func(
    'int setsockopt(int fd, int level, int name, const void *value, unsigned int length)',
  ),
  ioctl: libc.func('int ioctl(int fd, unsigned long request, void *argument)'),
  send: libc.func('long send(int fd, const void *buffer, size_t length, int flags)'),
  recv: libc.func('long recv(int fd, void *buffer, size_t length, int flags)'),
  poll: libc.func('int poll(void *fds, unsigned long count, int timeout)'),
  setns: libc.func('int setns(int fd, int type)'),
  eventfd: libc.func('int eventfd(unsigned int initial, int flags)'),
  fcntl: libc.func('int fcntl(int fd, int command, long argument)'),
  epollCreate: libc.func('int epoll_create1(int flags)'),
  epollControl: libc.func('int epoll_ctl(int epoll, int operation, int fd, const void *event)'),
  epollWait: libc.func('int epoll_wait(int epoll, void *events, int count, int timeout)'),
};

const result = (value: number): number => (value < 0 ? -koffi.errno() : value);

/** Runs a call on a worker thread of libuv; koffi carries the thread's errno over into the callback. */
function onWorker<A extends unknown[]>(fn: KoffiFunc<(...args: A) => number>, ...args: A): Promise<number> {
  return new Promise((resolve, reject) => {
    fn.async(...args, (error: unknown, value: number) => {
      if (error) reject(error);
      else resolve(result(value));
    });
  });
}

/**
 * A buffer that a worker thread may write to. Its memory lies outside V8's heap, so it never moves; the caller
 * keeps a reference until the call is over.
 */
export const stableBuffer = (size: number): Buffer => Buffer.allocUnsafeSlow(size);

export const socket = (domain: number, type: number, protocol: number): number =>
  result(bindings.socket(domain, type, protocol));

export const bind = (fd: number, address: Buffer): number =>
  result(bindings.bind(fd, address, address.length));

/**
 * @param address is filled with the struct sockaddr that the socket is bound to, as far as it has room
 */
export function getsockname(fd: number, address: Buffer): number {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(address.length);
  return result(bindings.getsockname(fd, address, length));
}

export const setsockopt = (fd: number, level: number, name: number, value: Buffer): number =>
  result(bindings.setsockopt(fd, level, name, value, value.length));

/** ioctl(2) of a request that takes a struct. */
export const ioctl = (fd: number, request: number, argument: Buffer): number =>
  result(bindings.ioctl(fd, request, argument));

/** Blocking send(2) on a worker thread; `buffer` must come from {@link stableBuffer}. */
export const sendOnWorker = (fd: number, buffer: Buffer): Promise<number> =>
  onWorker(bindings.send, fd, buffer, buffer.length, 0);

export const recv = (fd: number, buffer: Buffer, flags: number): number =>
  result(bindings.recv(fd, buffer, buffer.length, flags));

/** Blocking recv(2) on a worker thread; `buffer` must come from {@link stableBuffer}. */
export const recvOnWorker = (fd: number, buffer: Buffer, flags: number): Promise<number> =>
  onWorker(bindings.recv, fd, buffer, buffer.length, flags);

/**
 * poll(2) without a timeout on a worker thread.
 * @param fds an array of struct pollfd (8 bytes each) from {@link stableBuffer}
 */
export const pollOnWorker = (fds: Buffer): Promise<number> =>
  onWorker(bindings.poll, fds, fds.length / 8, -1);

/** Changes the calling thread's namespace, so it must run and be undone without an await between. */
export const setns = (fd: number, type: number): number => result(bindings.setns(fd, type));

export const eventfd = (flags: number): number => result(bindings.eventfd(0, flags));

/** fcntl(2) of a command that takes a number. */
export const fcntl = (fd: number, command: number, argument: number): number =>
  result(bindings.fcntl(fd, command, argument));

/** Number of <linux/fcntl.h>. */
const F_DUPFD_CLOEXEC = 1030;

/** A second descriptor of what one is of, closed on exec. */
export const duplicate = (fd: number): number => fcntl(fd, F_DUPFD_CLOEXEC, 0);

/** epoll_create1(2), closed on exec. */
export const epollCreate = (): number => result(bindings.epollCreate(EPOLL_CLOEXEC));

const EPOLL_CLOEXEC = 0x80000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLLIN = 1;
const EPOLLONESHOT = 1 << 30;
/** struct epoll_event is packed on x86-64 only (<linux/eventpoll.h>): its length, and where its data lies. */
const [EPOLL_EVENT, EPOLL_DATA] = process.arch === 'x64' ? [12, 4] : [16, 8];
const event = Buffer.alloc(EPOLL_EVENT);

/** Has `epoll` tell of `fd` once, when it can be read from or a connection waits there. */
export function epollAddOnce(epoll: number, fd: number): number {
  event.writeUInt32LE(EPOLLIN | EPOLLONESHOT);
  event.writeInt32LE(fd, EPOLL_DATA);
  return result(bindings.epollControl(epoll, EPOLL_CTL_ADD, fd, event));
}

/** Has `epoll` tell of `fd` no more, also when it is open under another number. */
export const epollRemove = (epoll: number, fd: number): number =>
  result(bindings.epollControl(epoll, EPOLL_CTL_DEL, fd, event));

/**
 * What `epoll` has to tell of now, without waiting.
 * @returns descriptors, `most` of them or fewer; or `-errno`
 */
export function epollReady(epoll: number, most: number): number[] | number {
  const events = Buffer.alloc(most * EPOLL_EVENT);
  const count = result(bindings.epollWait(epoll, events, most, 0));
  if (count < 0) return count;
  return Array.from({ length: count }, (_, i) => events.readInt32LE(i * EPOLL_EVENT + EPOLL_DATA));
}
