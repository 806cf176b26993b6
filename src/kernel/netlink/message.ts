import { Attributes } from './attribute-reader.ts';
import { align } from './attribute-writer.ts';
import { NLM_F_ACK_TLVS, NLM_F_CAPPED, NLMSG_DONE, NLMSGERR_ATTR_MSG } from './constants.ts';

/** Netlink messages (RFC 3549 section 2.3.2, struct nlmsghdr of <linux/netlink.h>). */
export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** Port id of the socket that the message is for or from; 0 is the kernel. */
  readonly port: number;
  readonly payload: Buffer;
}

const HEADER = 16;

export function encodeMessage(message: Message): Buffer {
  const length = HEADER + message.payload.length;
  const buffer = Buffer.alloc(align(length));
  buffer.writeUInt32LE(length, 0);
  buffer.writeUInt16LE(message.type, 4);
  buffer.writeUInt16LE(message.flags, 6);
  buffer.writeUInt32LE(message.sequence, 8);
  buffer.writeUInt32LE(message.port, 12);
  buffer.set(message.payload, HEADER);
  return buffer;
}

/** The messages of one datagram, up to the first malformed one. The payloads share the datagram's memory. */
export function decodeMessages(datagram: Buffer): Message[] {
  const messages: Message[] = [];
  let offset = 0;
  while (offset + HEADER <= datagram.length) {
    const length = datagram.readUInt32LE(offset);
    if (length < HEADER || offset + length > datagram.length) break;
    messages.push({
      type: datagram.readUInt16LE(offset + 4),
      flags: datagram.readUInt16LE(offset + 6),
      sequence: datagram.readUInt32LE(offset + 8),
      port: datagram.readUInt32LE(offset + 12),
      payload: datagram.subarray(offset + HEADER, offset + length),
    });
    // Not `align(length)`: a length above 2^31 must not turn negative there.
    offset += Math.ceil(length / 4) * 4;
  }
  return messages;
}

/** The outcome that an NLMSG_ERROR or NLMSG_DONE message carries. */
export interface Outcome {
  /** 0 for success. */
  readonly errno: number;
  /** The kernel's own words (NETLINK_EXT_ACK); also success may carry a warning. */
  readonly extack?: string;
}

/** Reads struct nlmsgerr, or the plain error number of a finished dump; a truncated one counts as EIO. */
export function decodeOutcome(message: Message): Outcome {
  const { payload } = message;
  // A dump's end may come without a number on kernels before 4.x.
  if (payload.length < 4) return { errno: message.type === NLMSG_DONE ? 0 : 5 };
  const errno = Math.abs(payload.readInt32LE(0));
  if (!(message.flags & NLM_F_ACK_TLVS)) return { errno };
  const extack = new Attributes(payload, attributesAt(message)).text(NLMSGERR_ATTR_MSG);
  return extack === undefined ? { errno } : { errno, extack };
}

/** Where the attributes begin: behind the number, the repeated header and, unless capped, the repeated payload. */
function attributesAt({ type, flags, payload }: Message): number {
  if (type === NLMSG_DONE) return 4;
  if (flags & NLM_F_CAPPED || payload.length < 8) return 4 + HEADER;
  return 4 + Math.ceil(payload.readUInt32LE(4) / 4) * 4;
}
