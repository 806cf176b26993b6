import { closeSync, writeSync } from 'node:fs';
import { constants as os } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { getSystemErrorName } from 'node:util';
import { TsnetError } from '../../errors.ts';
import { bind, eventfd, pollOnWorker, recv, socket, stableBuffer } from '../libc.ts';
import { LISTEN_LATER } from '../monitor.ts';
import { AF_NETLINK, MSG_DONTWAIT, NETLINK_NETFILTER, SOCK_CLOEXEC, SOCK_RAW } from '../netlink/constants.ts';
import { changesIn, type NftChange } from './changes.ts';

/** Bit of NFNLGRP_NFTABLES (7) of <linux/netfilter/nfnetlink.h> in sockaddr_nl.nl_groups. */
const GROUP_NFTABLES = 1 << 6;
const EFD_CLOEXEC = 0x80000;
const POLLIN = 1;
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
    this.#socket = check(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
    const address = Buffer.alloc(12);
    address.writeUInt16LE(AF_NETLINK, 0);
    address.writeUInt32LE(GROUP_NFTABLES, 8);
    try {
      check(bind(this.#socket, address));
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

function check(result: number): number {
  if (result >= 0) return result;
  throw new TsnetError('FIREWALL', `changes of nftables cannot be watched: ${getSystemErrorName(result)}`);
}
