import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { failPoint, type Seam } from '../../fail-points.ts';
import { recv, recvOnWorker, sendOnWorker, setsockopt, stableBuffer } from '../libc.ts';
import type { NetworkNamespace } from '../netns.ts';
import * as nl from './constants.ts';
import { linkIndex } from './link-index.ts';
import { decodeMessages, decodeOutcome, encodeMessage, type Message } from './message.ts';
import { hasCode, NetlinkError } from './netlink-error.ts';
import { int32, openNetlinkSocket } from './open-socket.ts';
import { portOf } from './port-of.ts';

const { EAGAIN, EINTR, EMSGSIZE, ETIMEDOUT } = constants.errno;

/** The kernel fills at most 32 KiB of a dump into one datagram; a longer single message is refused below. */
const RECEIVE_SIZE = 64 * 1024;
const RECEIVE_QUEUE = 1024 * 1024;
/** What a socket sends at a time without being asked to have room for more (net.core.wmem_default). */
const SEND_QUEUE = 128 * 1024;
/** The kernel answers every request within the call that sends it; this only keeps a lost answer from waiting for ever. */
const ANSWER_TIMEOUT_S = 10;
const DUMP_ATTEMPTS = 20;

export interface Request {
  /** RTM_*. */
  readonly type: number;
  /** NLM_F_* beyond REQUEST, ACK and DUMP. */
  readonly flags?: number;
  /** The fixed header of the family and the attributes. */
  readonly payload: Buffer;
  /** What error messages call it. */
  readonly operation: string;
  /** In a batch: marks its beginning or end and is told of only when it is refused, which ends the batch. */
  readonly isMark?: boolean;
  /** Of a dump: which messages are wanted. Those that are not take no memory. */
  readonly keep?: (message: Message) => boolean;
}

/**
 * Receive buffers of closed sockets, for the next ones: a socket in a container's namespace lives for some milliseconds,
 * and its buffer, outside of V8's heap, until the next collection.
 */
const spare: Buffer[] = [];
const MOST_SPARE = 32;

/** What came of several requests; both in the requests' order. */
export interface BatchOutcome {
  readonly answers: readonly Message[];
  readonly refusals: readonly NetlinkError[];
}

/** A netlink socket for one request at a time; the caller keeps them apart (see pool.ts). */
export class NetlinkSocket {
  readonly #fd: number;
  readonly #buffer = spare.pop() ?? stableBuffer(RECEIVE_SIZE);
  #sequence = 0;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /**
   * Opens a socket in `namespace`, where it stays, or in the current one.
   * @param protocol NETLINK_*
   */
  static open(namespace?: NetworkNamespace, protocol: number = nl.NETLINK_ROUTE): NetlinkSocket {
    const fd = openNetlinkSocket({ namespace, protocol, queue: RECEIVE_QUEUE });
    try {
      // Older kernels lack some of these (STRICT_CHK: 4.20); every reader filters and checks by itself as well.
      for (const option of [nl.NETLINK_EXT_ACK, nl.NETLINK_CAP_ACK, nl.NETLINK_GET_STRICT_CHK]) {
        setsockopt(fd, nl.SOL_NETLINK, option, int32(1));
      }
      const timeout = Buffer.alloc(16);
      timeout.writeBigInt64LE(BigInt(ANSWER_TIMEOUT_S), 0);
      NetlinkError.check(setsockopt(fd, nl.SOL_SOCKET, nl.SO_RCVTIMEO, timeout), 'setsockopt');
      return new NetlinkSocket(fd);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /**
   * Sends one request and waits for its acknowledgement.
   * @returns the messages that came before it (the answer to a RTM_GET*)
   * @throws NetlinkError when the kernel refuses
   */
  async request(request: Request): Promise<Message[]> {
    if (!isQuestion(request)) failPoint('netlink', request.operation);
    const sequence = await this.#send(request, nl.NLM_F_ACK);
    const answers: Message[] = [];
    for (;;) {
      for (const message of await this.#receive(request.operation, false)) {
        if (message.sequence !== sequence) continue;
        if (message.type !== nl.NLMSG_ERROR) {
          answers.push(message);
          continue;
        }
        const { errno, extack } = decodeOutcome(message);
        if (errno) throw new NetlinkError(errno, request.operation, extack);
        return answers;
      }
    }
  }

  /**
   * Sends several requests in one datagram. The kernel does one after the other; a refusal does not keep it from the
   * rest.
   * @param requests few enough for their answers to fit the receive queue: some hundreds
   * @param seam where the process can be made to die before it sends them
   */
  async batch(requests: readonly Request[], seam: Seam = 'netlink'): Promise<BatchOutcome> {
    const last = requests.findLastIndex(request => request.isMark !== true);
    const [first, told] = [requests[0], requests[last]];
    if (first === undefined || told === undefined) return { answers: [], refusals: [] };
    const before = this.#sequence + 1;
    // Refusals are always told of, so that success needs to be told of only once.
    const messages = requests.map((request, index) =>
      this.#message(request, index === last ? nl.NLM_F_ACK : 0),
    );
    failPoint(seam, first.operation);
    await this.#transmit(Buffer.concat(messages), told.operation);
    const answers: Message[] = [];
    const refusals: NetlinkError[] = [];
    for (;;) {
      for (const message of await this.#receive(told.operation, false)) {
        const index = (message.sequence - before) >>> 0;
        const request = requests[index];
        if (request === undefined) continue;
        if (message.type !== nl.NLMSG_ERROR) {
          answers.push(message);
          continue;
        }
        const { errno, extack } = decodeOutcome(message);
        if (errno) refusals.push(new NetlinkError(errno, request.operation, extack));
        if (index === last || request.isMark === true) return { answers, refusals };
      }
    }
  }

  /**
   * Index of the link of a name in the socket's namespace, wherever the thread is. It waits for nobody: unlike
   * a request the ioctl does without the RTNL lock (net/core/dev_ioctl.c, SIOCGIFINDEX), also during one.
   * @returns undefined where there is none
   */
  index(name: string): number | undefined {
    return linkIndex(this.#fd, name);
  }

  /** Port id that the kernel tells others who listen, with each change that is made by this socket (nlmsg_pid). */
  get port(): number | undefined {
    return portOf(this.#fd);
  }

  /**
   * A dump, repeated when objects came or went meanwhile (NLM_F_DUMP_INTR) or the queue overflowed.
   * @throws NetlinkError when the kernel refuses, or EAGAIN when it was interrupted too often
   */
  async dump(request: Request): Promise<Message[]> {
    for (let attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
      const messages = await this.#dumpOnce(request);
      if (messages) return messages;
    }
    throw new NetlinkError(EAGAIN, request.operation, `dump interrupted ${DUMP_ATTEMPTS} times`);
  }

  /** Once, and not during a request: the buffer goes to another socket. */
  close(): void {
    closeSync(this.#fd);
    if (spare.length < MOST_SPARE) spare.push(this.#buffer);
  }

  async #dumpOnce(request: Request): Promise<Message[] | undefined> {
    const sequence = await this.#send(request, nl.NLM_F_DUMP);
    const found: Message[] = [];
    let interrupted = false;
    for (;;) {
      let received: Message[] = [];
      try {
        received = await this.#receive(request.operation, true);
      } catch (error) {
        // Read on to the end all the same: until then the kernel refuses another dump on this socket.
        if (!hasCode(error, 'ENOBUFS')) throw error;
        interrupted = true;
      }
      for (const message of received) {
        if (message.sequence !== sequence) continue;
        if (message.flags & nl.NLM_F_DUMP_INTR) interrupted = true;
        if (message.type === nl.NLMSG_DONE || message.type === nl.NLMSG_ERROR) {
          const { errno, extack } = decodeOutcome(message);
          if (errno === EINTR) return undefined;
          if (errno) throw new NetlinkError(errno, request.operation, extack);
          return interrupted ? undefined : found;
        }
        if (request.keep?.(message) !== false) found.push(message);
      }
    }
  }

  /** @returns the sequence number that answers will have */
  async #send(request: Request, extra: number): Promise<number> {
    const message = this.#message(request, extra);
    const sequence = this.#sequence;
    await this.#transmit(message, request.operation);
    return sequence;
  }

  /** The request with the next sequence number. */
  #message(request: Request, extra: number): Buffer {
    this.#sequence = (this.#sequence + 1) >>> 0;
    return encodeMessage({
      type: request.type,
      flags: nl.NLM_F_REQUEST | extra | (request.flags ?? 0),
      sequence: this.#sequence,
      port: 0,
      payload: request.payload,
    });
  }

  /** The kernel does the work inside send(2), waiting for its RTNL lock and for RCU there: hence a worker. */
  async #transmit(message: Buffer, operation: string): Promise<void> {
    const buffer = stableBuffer(message.length);
    buffer.set(message);
    // Of no use where that is not allowed: then the kernel says EMSGSIZE.
    if (buffer.length > SEND_QUEUE) {
      setsockopt(this.#fd, nl.SOL_SOCKET, nl.SO_SNDBUFFORCE, int32(buffer.length));
    }
    let sent: number;
    do sent = await sendOnWorker(this.#fd, buffer);
    while (sent === -EINTR);
    NetlinkError.check(sent, operation);
  }

  /**
   * One datagram. An acknowledgement lies ready when send(2) has returned, so it is fetched here and now; each
   * further part of a dump is made inside recv(2) and may wait for the RTNL lock.
   */
  async #receive(operation: string, dump: boolean): Promise<Message[]> {
    let length = dump ? -EAGAIN : recv(this.#fd, this.#buffer, nl.MSG_TRUNC | nl.MSG_DONTWAIT);
    if (length === -EAGAIN) {
      do length = await recvOnWorker(this.#fd, this.#buffer, nl.MSG_TRUNC);
      while (length === -EINTR);
      if (length === -EAGAIN) throw new NetlinkError(ETIMEDOUT, operation);
    }
    NetlinkError.check(length, operation);
    if (length > RECEIVE_SIZE) throw new NetlinkError(EMSGSIZE, operation);
    // A copy: the buffer is written again while the messages of a dump are still being collected.
    return decodeMessages(Buffer.from(this.#buffer.subarray(0, length)));
  }
}

/** A RTM_GET*: rtnetlink's messages come in fours, new, delete, get and set (net/core/rtnetlink.c, rtnetlink_rcv_msg()). */
const isQuestion = ({ type }: Request): boolean => type < 0x100 && (type & 3) === 2;
