import { closeSync } from 'node:fs';
import { bind, setsockopt, socket } from '../libc.ts';
import type { NetworkNamespace } from '../netns.ts';
import * as nl from './constants.ts';
import { NetlinkError } from './netlink-error.ts';

export interface SocketOptions {
  /** Where the socket stays; the current one when undefined. */
  readonly namespace: NetworkNamespace | undefined;
  /** NETLINK_*. */
  readonly protocol: number;
  /** Size of the receive queue in bytes. */
  readonly queue: number;
  /** Mask of multicast groups to join (`1 << (RTNLGRP_* - 1)`); none when absent. */
  readonly groups?: number;
}

/** Opens and binds a netlink socket. @throws NetlinkError */
export function openNetlinkSocket({ namespace, protocol, queue, groups = 0 }: SocketOptions): number {
  const create = () => socket(nl.AF_NETLINK, nl.SOCK_RAW | nl.SOCK_CLOEXEC, protocol);
  const fd = NetlinkError.check(namespace ? namespace.run(create) : create(), 'socket');
  try {
    // FORCE goes beyond net.core.rmem_max but needs CAP_NET_ADMIN of the first user namespace.
    if (setsockopt(fd, nl.SOL_SOCKET, nl.SO_RCVBUFFORCE, int32(queue)) < 0) {
      NetlinkError.check(setsockopt(fd, nl.SOL_SOCKET, nl.SO_RCVBUF, int32(queue)), 'setsockopt');
    }
    const address = Buffer.alloc(12);
    address.writeUInt16LE(nl.AF_NETLINK, 0);
    address.writeUInt32LE(groups >>> 0, 8);
    NetlinkError.check(bind(fd, address), 'bind');
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** An int as setsockopt(2) takes it. */
export function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32LE(value);
  return buffer;
}
