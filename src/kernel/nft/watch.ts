import { closeSync, writeSync } from 'node:fs';
import { constants as os } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { getSystemErrorName } from 'node:util';
import { TsnetError } from '../../errors.ts';
import { eventfd, pollOnWorker, recv, stableBuffer } from '../libc.ts';
import { LISTEN_LATER } from '../monitor.ts';
import { MSG_DONTWAIT, NETLINK_NETFILTER } from '../netlink/constants.ts';
import { openNetlinkSocket } from '../netlink/open-socket.ts';
import { changesIn, type NftChange } from './changes.ts';

/** Bit of NFNLGRP_NFTABLES (7) of <linux/netfilter/nfnetlink.h> in sockaddr_nl.nl_groups. */
const GROUP_NFTABLES = 1 << 6;
const EFD_CLOEXEC = 0x80000;
const POLLIN = 1;
/**
 * Bytes, as SO_RCVBUF counts them. What tsnet itself changes is told as well, and a lost word of it means a look at the
 * whole host: the default, 208 KiB, does not take the 1500 ports of one container (on 6.18).
 */
const QUEUE = 8 * 1024 * 1024;
/** The kernel makes datagrams of NLMSG_GOODSIZE, a page, but for single larger messages. */
const DATAGRAM = 65536;

export interface NftWatchOptions {
  /** Port ids of the sockets whose changes are one's own; see Nft.ports. */
  readonly own: () => readonly number[];
  /**
   * Somebody else changed a table; once a table for each batch of news. `unknown`: notifications were lost
   * (ENOBUFS), anything may have changed.
   */
  readonly onChange: (change: NftChange | 'unknown') => void;
  /** Reading failed for good; nothing is reported any more. */
  readonly onError: (error: TsnetError) => void;
  /** Size of the socket's queue in bytes. */
  readonly queue?: number;
}

/**
 * Listens for changes of nftables, iptables-nft included, in the network namespace of the calling thread. One
 * thread of libuv's pool waits in poll(2) until close(); the event loop is never blocked.
 */
export class NftWatch {
  readonly #options: NftWatchOptions;
  readonly #socket: number;
  readonly #wake: number;
  readonly #done: Promise<void>;
  readonly #datagram = stableBuffer(DATAGRAM);
  #closed = false;

  /** @throws TsnetError FIREWALL when the socket cannot be opened */
  constructor(options: NftWatchOptions) {
    this.#options = options;
    this.#socket = openSocket(options.queue ?? QUEUE);
    try {
      this.#wake = check(eventfd(EFD_CLOEXEC));
    } catch (error) {
      closeSync(this.#socket);
      throw error;
    }
    // A process that exits waits for the threads of the pool, and so must call this one back.
    process.once('exit', this.#stop);
    this.#done = this.#listen();
  }

  /** Stops listening; nothing is reported from here on. Resolves when the thread is free again. */
  close(): Promise<void> {
    this.#stop();
    return this.#done;
  }

  readonly #stop = (): void => {
    if (this.#closed) return;
    this.#closed = true;
    const one = Buffer.alloc(8);
    one.writeBigUInt64LE(1n);
    writeSync(this.#wake, one);
  };

  async #listen(): Promise<void> {
    const files = stableBuffer(16).fill(0);
    [this.#socket, this.#wake].forEach((fd, index) => {
      files.writeInt32LE(fd, index * 8);
      files.writeInt16LE(POLLIN, index * 8 + 4);
    });
    try {
      while (!this.#closed) {
        const ready = await pollOnWorker(files);
        if (ready !== -os.errno.EINTR) check(ready);
        if (!this.#closed) await delay(LISTEN_LATER);
        if (!this.#closed) this.#report();
      }
    } catch (error) {
      this.#options.onError(error as TsnetError);
    } finally {
      this.#closed = true;
      process.removeListener('exit', this.#stop);
      closeSync(this.#socket);
      closeSync(this.#wake);
    }
  }

  #report(): void {
    const changes = new Map<string, NftChange | 'unknown'>();
    const own = this.#options.own();
    for (;;) {
      const size = recv(this.#socket, this.#datagram, MSG_DONTWAIT);
      if (size === -os.errno.EAGAIN) break;
      if (size === -os.errno.ENOBUFS) changes.set('', 'unknown');
      else if (size !== -os.errno.EINTR) {
        for (const change of changesIn(this.#datagram.subarray(0, check(size)), own)) {
          changes.set(`${change.family} ${change.table}`, change);
        }
      }
    }
    for (const change of changes.values()) this.#options.onChange(change);
  }
}

function openSocket(queue: number): number {
  try {
    const namespace = undefined;
    return openNetlinkSocket({ namespace, protocol: NETLINK_NETFILTER, queue, groups: GROUP_NFTABLES });
  } catch (error) {
    throw unwatchable(String(error));
  }
}

function check(result: number): number {
  if (result >= 0) return result;
  throw unwatchable(getSystemErrorName(result));
}

const unwatchable = (why: string): TsnetError =>
  new TsnetError('FIREWALL', `changes of nftables cannot be watched: ${why}`);
