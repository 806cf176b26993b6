import koffi from '../koffi.ts';
import { setsockopt, stableBuffer } from '../libc.ts';
import { MSG_DONTWAIT } from '../netlink/constants.ts';
import { int32 } from '../netlink/open-socket.ts';
import { addressText } from '../rtnetlink/notation.ts';
import { IPPROTO_IPV6, SOCKADDR_IN6 } from './sockets.ts';

/** A UDP datagram over IPv6. */
export interface Datagram {
  readonly data: Buffer;
  readonly from: {
    /** Bare address, canonical. */
    readonly address: string;
    readonly port: number;
    /** Index of the interface that a link-local address belongs to; 0 for others. */
    readonly scope: number;
  };
  /** The address of the host that it was sent to, bare and canonical. */
  readonly to: string | undefined;
}

const IPV6_RECVPKTINFO = 49;
const IPV6_PKTINFO = 50;

/** struct cmsghdr on machines of 64 bits, and what an in6_pktinfo begins with. */
const CMSGHDR = 16;
const ADDRESS = 16;
/** The largest payload of UDP without jumbograms is shorter. */
const LARGEST = 65_536;

const libc = koffi.load(null);
const iovec = koffi.struct({ base: 'void *', length: 'size_t' });
const msghdr = koffi.struct({
  name: 'void *',
  nameLength: 'uint',
  parts: koffi.pointer(iovec),
  partCount: 'size_t',
  control: 'void *',
  controlLength: 'size_t',
  flags: 'int',
});
const recvmsg = libc.func('recvmsg', 'long', ['int', koffi.inout(koffi.pointer(msghdr)), 'int']);

/** One for all: only what is copied out of it outlives a call. */
let shared: { readonly name: Buffer; readonly data: Buffer; readonly control: Buffer } | undefined;

/**
 * A datagram that waits on an IPv6 socket, with the address that it was sent to: node's sockets do not tell that.
 * @returns undefined when none waits
 */
export function receiveDatagram(fd: number): Datagram | undefined {
  // What it was sent to is looked up as it is received, so that now is early enough (ipv6(7)).
  setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, int32(1));
  shared ??= { name: stableBuffer(SOCKADDR_IN6), data: stableBuffer(LARGEST), control: stableBuffer(64) };
  const { name, data, control } = shared;
  const header = {
    name,
    nameLength: name.length,
    parts: { base: data, length: data.length },
    partCount: 1,
    control,
    controlLength: control.length,
    flags: 0,
  };
  const length: number = recvmsg(fd, header, MSG_DONTWAIT);
  if (length < 0) return undefined;
  const source = addressText(name.subarray(8, 8 + ADDRESS));
  if (source === undefined) return undefined;
  return {
    data: Buffer.from(data.subarray(0, length)),
    from: { address: source, port: name.readUInt16BE(2), scope: name.readUInt32LE(24) },
    to: destination(control.subarray(0, header.controlLength)),
  };
}

/** Of the control messages there is one, which was asked for. */
function destination(control: Buffer): string | undefined {
  const isOne =
    control.length >= CMSGHDR + ADDRESS &&
    control.readInt32LE(8) === IPPROTO_IPV6 &&
    control.readInt32LE(12) === IPV6_PKTINFO;
  return isOne ? addressText(control.subarray(CMSGHDR, CMSGHDR + ADDRESS)) : undefined;
}
