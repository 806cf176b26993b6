import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import koffi from '../kernel/koffi.ts';
import { socket } from '../kernel/libc.ts';

/** Abstract Unix sockets (unix(7)) from the side that connects, with what node does not tell: who is at the other end. */

const AF_UNIX = 1;
const SOCK_STREAM_NONBLOCK_CLOEXEC = 1 | 0o4000 | 0o2000000;
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
/** struct ucred: pid, uid, gid. */
const UCRED = 12;

/** Bound at first use, for only the second of two instances needs them. */
let calls: ReturnType<typeof bind> | undefined;

function bind() {
  const libc = koffi.load(null);
  return {
    connect: libc.func('int connect(int fd, const void *address, unsigned int length)'),
    getsockopt: libc.func(
      'int getsockopt(int fd, int level, int name, _Out_ void *value, _Inout_ void *length)',
    ),
  };
}

export interface Peer {
  /** Of a connected stream socket; to be closed by whoever asked. */
  readonly fd: number;
  /** Of the process that listens, as this process's user namespace numbers it. */
  readonly uid: number;
}

/**
 * Connects at once or not at all.
 * @param name without the leading zero byte
 * @returns undefined when nobody listens; 'busy' when somebody does who takes no connections at present
 * @throws Error of another kind, which is not to be expected
 */
export function connectAbstract(name: string): Peer | 'busy' | undefined {
  calls ??= bind();
  const { connect, getsockopt } = calls;
  const fd = socket(AF_UNIX, SOCK_STREAM_NONBLOCK_CLOEXEC, 0);
  if (fd < 0) throw new Error(`socket: error ${-fd}`);
  const address = Buffer.concat([Buffer.from([AF_UNIX, 0, 0]), Buffer.from(name)]);
  if (connect(fd, address, address.length) < 0) {
    const errno = koffi.errno();
    closeSync(fd);
    if (errno === constants.errno.ECONNREFUSED) return undefined;
    if (errno === constants.errno.EAGAIN) return 'busy';
    throw new Error(`connect to @${name}: error ${errno}`);
  }
  const credentials = Buffer.alloc(UCRED);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(UCRED);
  getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials, length);
  return { fd, uid: credentials.readUInt32LE(4) };
}
