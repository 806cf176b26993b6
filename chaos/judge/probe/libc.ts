import koffi from 'koffi';

/** The few functions of libc that the probe needs, for a socket belongs to the namespace of the thread that makes it. */
const libc = koffi.load(null);

const calls = {
  setns: libc.func('int setns(int fd, int type)'),
  socket: libc.func('int socket(int domain, int type, int protocol)'),
  setsockopt: libc.func(
    'int setsockopt(int fd, int level, int name, const void *value, unsigned int length)',
  ),
  bind: libc.func('int bind(int fd, const void *address, unsigned int length)'),
  connect: libc.func('int connect(int fd, const void *address, unsigned int length)'),
  sendto: libc.func(
    'long sendto(int fd, const void *buffer, size_t length, int flags, const void *address, unsigned int size)',
  ),
  recvfrom: libc.func(
    'long recvfrom(int fd, void *buffer, size_t length, int flags, void *address, void *size)',
  ),
  poll: libc.func('int poll(void *fds, unsigned long count, int timeout)'),
  close: libc.func('int close(int fd)'),
};

/** What the function answers, or `-errno`. */
const result = (value: number): number => (value < 0 ? -koffi.errno() : value);

export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0x800;
const CLONE_NEWNET = 0x40000000;
export const POLLIN = 1;
export const POLLOUT = 4;
export const EINPROGRESS = 115;

export const setns = (fd: number): number => result(calls.setns(fd, CLONE_NEWNET));
export const socket = (domain: number, type: number, protocol = 0): number =>
  result(calls.socket(domain, type | SOCK_NONBLOCK, protocol));
export const bind = (fd: number, address: Buffer): number => result(calls.bind(fd, address, address.length));
export const connect = (fd: number, address: Buffer): number =>
  result(calls.connect(fd, address, address.length));
export const sendTo = (fd: number, data: Buffer, address: Buffer): number =>
  result(Number(calls.sendto(fd, data, data.length, 0, address, address.length)));
export const send = (fd: number, data: Buffer): number =>
  result(Number(calls.sendto(fd, data, data.length, 0, null, 0)));
/** @returns length, or `-errno` */
export const receive = (fd: number, into: Buffer): number =>
  result(Number(calls.recvfrom(fd, into, into.length, 0, null, null)));
export const close = (fd: number): void => {
  calls.close(fd);
};

const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;

/** So that an IPv6 socket is not one of IPv4 as well. */
export const only6 = (fd: number): void => switchOn(fd, IPPROTO_IPV6, IPV6_V6ONLY);
/** So that what is left of connections that have ended (TIME_WAIT) is not in the way. */
export const reuseAddress = (fd: number): void => switchOn(fd, SOL_SOCKET, SO_REUSEADDR);

function switchOn(fd: number, level: number, name: number): void {
  const on = Buffer.alloc(4);
  on.writeInt32LE(1);
  calls.setsockopt(fd, level, name, on, on.length);
}

/** Waits until one of the sockets is ready. @param timeout milliseconds. @returns those that are */
export function poll(wanted: readonly { fd: number; events: number }[], timeout: number): Set<number> {
  const fds = Buffer.alloc(8 * Math.max(1, wanted.length));
  wanted.forEach(({ fd, events }, at) => {
    fds.writeInt32LE(fd, 8 * at);
    fds.writeInt16LE(events, 8 * at + 4);
  });
  calls.poll(fds, wanted.length, timeout);
  return new Set(wanted.filter((_, at) => fds.readInt16LE(8 * at + 6) !== 0).map(({ fd }) => fd));
}
