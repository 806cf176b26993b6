import { getSystemErrorName } from 'node:util';
import koffi from 'koffi';

/**
 * Blocking TCP sockets straight from libc: a call costs a fraction of a microsecond beside the ten and more that the
 * kernel needs for a packet, whereas Node's own sockets cost more than the path that is to be measured.
 */
const libc = koffi.load(null);
const call = {
  socket: libc.func('int socket(int domain, int type, int protocol)'),
  connect: libc.func('int connect(int fd, const void *address, unsigned int length)'),
  bind: libc.func('int bind(int fd, const void *address, unsigned int length)'),
  listen: libc.func('int listen(int fd, int backlog)'),
  accept: libc.func('int accept(int fd, void *address, void *length)'),
  setsockopt: libc.func(
    'int setsockopt(int fd, int level, int name, const void *value, unsigned int length)',
  ),
  send: libc.func('long send(int fd, const void *buffer, size_t length, int flags)'),
  recv: libc.func('long recv(int fd, void *buffer, size_t length, int flags)'),
  shutdown: libc.func('int shutdown(int fd, int how)'),
  close: libc.func('int close(int fd)'),
};

// asm-generic/socket.h, linux/tcp.h: the same on x86-64 and arm64
const AF_INET = 2;
const SOCK_STREAM_CLOEXEC = 1 | 0o2000000;
const [SOL_SOCKET, IPPROTO_TCP] = [1, 6];
const [SO_REUSEADDR, SO_LINGER, SO_RCVTIMEO, SO_SNDTIMEO, TCP_NODELAY] = [2, 13, 20, 21, 1];
const MSG_NOSIGNAL = 0x4000;
const SHUT_WR = 1;
/** How many connections can wait to be accepted. */
export const BACKLOG = 128;

/** @throws Error with the errno's name, and EAGAIN when a timeout has passed */
function must(what: string, value: number): number {
  if (value < 0) throw new Error(`${what}: ${getSystemErrorName(-koffi.errno())}`);
  return value;
}

/** struct sockaddr_in. @param address IPv4, bare */
export function socketAddress(address: string, port: number): Buffer {
  const buffer = Buffer.alloc(16);
  buffer.writeUInt16LE(AF_INET, 0);
  buffer.writeUInt16BE(port, 2);
  buffer.set(address.split('.').map(Number), 4);
  return buffer;
}

const flag = (value: number): Buffer => Buffer.from(Int32Array.of(value).buffer);
const ON = flag(1);
const seconds = (value: number): Buffer => Buffer.from(BigInt64Array.of(BigInt(value), 0n).buffer);

/** Nothing of what is measured takes longer, unless packets are lost. */
const PATIENCE = seconds(5);

/** A connection, TCP_NODELAY, that gives up after five seconds of silence. @param to of `socketAddress` */
export function connect(to: Buffer): number {
  const fd = must('socket', call.socket(AF_INET, SOCK_STREAM_CLOEXEC, 0));
  call.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, PATIENCE, PATIENCE.length);
  call.setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, PATIENCE, PATIENCE.length);
  call.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, ON, ON.length);
  must('connect', call.connect(fd, to, to.length));
  return fd;
}

/** A socket that listens on every IPv4 address. */
export function listen(port: number): number {
  const fd = must('socket', call.socket(AF_INET, SOCK_STREAM_CLOEXEC, 0));
  call.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, ON, ON.length);
  const address = socketAddress('0.0.0.0', port);
  must('bind', call.bind(fd, address, address.length));
  must('listen', call.listen(fd, BACKLOG));
  return fd;
}

/** The next connection, TCP_NODELAY. */
export function accept(listener: number): number {
  const fd = must('accept', call.accept(listener, null, null));
  call.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, ON, ON.length);
  return fd;
}

/** Sends all of the buffer. */
export function send(fd: number, buffer: Buffer): void {
  for (let rest = buffer; rest.length > 0; ) {
    rest = rest.subarray(must('send', Number(call.send(fd, rest, rest.length, MSG_NOSIGNAL))));
  }
}

/** What there is, at most the buffer's length. @returns its length, 0 at the end */
export const receive = (fd: number, buffer: Buffer): number =>
  must('recv', Number(call.recv(fd, buffer, buffer.length, 0)));

/** Tells the other end that nothing more will come. */
export const finish = (fd: number): void => void must('shutdown', call.shutdown(fd, SHUT_WR));

export const close = (fd: number): void => void call.close(fd);

/** struct linger: on, no seconds. */
const AT_ONCE = Buffer.from(Int32Array.of(1, 0).buffer);

/** Ends a connection with a reset: neither end remembers it, and whatever was under way is lost. */
export function reset(fd: number): void {
  call.setsockopt(fd, SOL_SOCKET, SO_LINGER, AT_ONCE, AT_ONCE.length);
  close(fd);
}
