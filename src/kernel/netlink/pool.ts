import { constants } from 'node:os';
import { NetworkNamespace } from '../netns.ts';
import { NETLINK_ROUTE } from './constants.ts';
import { Gate } from './gate.ts';
import type { Message } from './message.ts';
import { NetlinkError } from './netlink-error.ts';
import { type BatchOutcome, NetlinkSocket, type Request } from './socket.ts';

/**
 * Sockets of one network namespace, opened as they are needed: each carries one request at a time, so that different
 * requests run in parallel.
 */
export class SocketPool {
  readonly #namespace: NetworkNamespace | undefined;
  /** Whether the namespace was opened here. */
  readonly #isOwn: boolean;
  readonly #idle: NetlinkSocket[] = [];
  /** Idle or busy: what is asked by an ioctl is no request. */
  readonly #first: NetlinkSocket;
  readonly #protocol: number;
  readonly #gate: Gate;
  #closed = false;

  /**
   * @param where file of a network namespace, or one that is open and that the caller closes after this; the current one when absent
   * @param limit most sockets at a time; each request in flight keeps a thread of libuv's pool
   * @param protocol NETLINK_*
   * @throws NamespaceError for a bad path, NetlinkError when no socket can be opened
   */
  constructor(where: string | NetworkNamespace | undefined, limit: number, protocol: number = NETLINK_ROUTE) {
    this.#protocol = protocol;
    this.#gate = new Gate(limit);
    this.#isOwn = typeof where === 'string';
    this.#namespace = typeof where === 'string' ? NetworkNamespace.open(where) : where;
    try {
      // The first one at once: whoever opens a pool learns here that the namespace cannot be entered.
      this.#first = this.#open();
      this.#idle.push(this.#first);
    } catch (error) {
      this.#closeNamespace();
      throw error;
    }
  }

  /** Runs something synchronous in the namespace that the sockets are of. */
  inNamespace<T>(action: () => T): T {
    return this.#namespace === undefined ? action() : this.#namespace.run(action);
  }

  /** See NetlinkSocket.index(). @throws NetlinkError EBADF when the pool is closed */
  index(name: string): number | undefined {
    if (this.#closed) throw new NetlinkError(constants.errno.EBADF, `SIOCGIFINDEX ${name}`);
    return this.#first.index(name);
  }

  request(request: Request): Promise<Message[]> {
    return this.#with(request.operation, socket => socket.request(request));
  }

  batch(requests: readonly Request[]): Promise<BatchOutcome> {
    return this.#with(requests[0]?.operation ?? 'nothing', socket => socket.batch(requests));
  }

  dump(request: Request): Promise<Message[]> {
    return this.#with(request.operation, socket => socket.dump(request));
  }

  /** Closes idle sockets now and busy ones after their request; waiting and later requests are refused with EBADF. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const socket of this.#idle.splice(0)) socket.close();
    this.#closeNamespace();
  }

  #closeNamespace(): void {
    if (this.#isOwn) this.#namespace?.close();
  }

  #open(): NetlinkSocket {
    return NetlinkSocket.open(this.#namespace, this.#protocol);
  }

  #with<T>(operation: string, use: (socket: NetlinkSocket) => Promise<T>): Promise<T> {
    return this.#gate.run(async () => {
      if (this.#closed) throw new NetlinkError(constants.errno.EBADF, operation);
      const socket = this.#idle.pop() ?? this.#open();
      try {
        return await use(socket);
      } finally {
        if (this.#closed) socket.close();
        else this.#idle.push(socket);
      }
    });
  }
}
